/**
 * The store contract (STO-01): a small key-value interface with versions,
 * expiry, atomic take and leases. Anything that offers these six operations can
 * hold authchart's records; `authchart/store-contract` tests it. A seventh, `watch`,
 * is optional.
 *
 * Keys are opaque strings made of printable ASCII and `/`; values are plain JSON.
 * Every operation rejects when the store cannot be reached. With which error is
 * the store's own business: clients make `store_failed` of it, and repeat nothing of its text.
 */

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue | undefined;
}

export interface StoredRecord {
  readonly value: JsonObject;
  /** Opaque; changes with every write. */
  readonly version: string;
}

export interface WriteOptions {
  /**
   * Compare-and-set: the version the write is based on, or `null` if the key must
   * not exist. Left out, the write is unconditional.
   */
  readonly expected?: string | null;
  /** The record is gone after this instant (milliseconds since the epoch). */
  readonly expiresAtEpochMs?: number;
}

export type WriteResult =
  | { readonly written: true; readonly version: string }
  /** The expected version was not the stored one; `current` is what is there now. */
  | { readonly written: false; readonly current: StoredRecord | undefined };

export interface Lease {
  readonly key: string;
  readonly owner: string;
  /** Grows with every new owner of this key, never repeats. */
  readonly fence: number;
  readonly expiresAtEpochMs: number;
}

export interface Store {
  read(key: string): Promise<StoredRecord | undefined>;
  write(key: string, value: JsonObject, options?: WriteOptions): Promise<WriteResult>;
  /** True if a record was deleted; with `expected`, only that version is. */
  delete(key: string, options?: { readonly expected?: string }): Promise<boolean>;
  /** Reads and deletes in one step: of any number of callers exactly one gets the record. */
  take(key: string): Promise<StoredRecord | undefined>;
  /** The lease, new or renewed if `owner` holds it already; `undefined` while another owner's runs. */
  acquireLease(key: string, owner: string, durationMs: number): Promise<Lease | undefined>;
  /** Ends the lease if it is still this one; a lease that was lost meanwhile is left alone. */
  releaseLease(lease: Lease): Promise<void>;
  /**
   * Only where the store can tell. Calls `listener` after the record of this key was written, deleted
   * or taken, or its lease was released, by anyone who shares the store; returns how to stop. A notice
   * is a hint: it may come late, twice or without a change, and one may be missed, so that whoever
   * waits for a change looks from time to time all the same. Expiry gives none. Never throws.
   */
  watch?(key: string, listener: () => void): () => void;
}
