/** What the cases of the store contract have in common. */
import type { JsonObject, Lease, Store } from './contract.ts';

/** A store for one case, empty, with the means to move its time. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Moves the store's idea of the time: by a clock that is set, or by waiting. Cases ask for a few seconds in all. */
  advance(durationMs: number): Promise<void>;
  /** The same records as another process sees them. Default: `store` itself. */
  readonly second?: Store;
  dispose?(): Promise<void>;
}

/** Both handles in turn, so that contention is between them and within each. */
type Handles = (index: number) => Store;

/** By title; each case gets a store that is empty. */
export type ContractCases = Readonly<Record<string, (store: Store, under: StoreUnderTest, handles: Handles) => Promise<void>>>;

export const SECOND_MS = 1_000;
export const CALLERS = 16;

export async function written(store: Store, key: string, value: JsonObject, expected?: string | null): Promise<string> {
  const result = await store.write(key, value, expected === undefined ? {} : { expected });
  if (!result.written) throw new Error(`The write of ${key} was refused.`);
  return result.version;
}

export async function leased(store: Store, key: string, owner: string, durationMs = 10 * SECOND_MS): Promise<Lease> {
  const lease = await store.acquireLease(key, owner, durationMs);
  if (lease === undefined) throw new Error(`The lease of ${key} was refused to ${owner}.`);
  return lease;
}

/** The store's own time, as its leases show it. */
export async function nowOf(store: Store): Promise<number> {
  const lease = await leased(store, 'what time is it', 'contract', SECOND_MS);
  await store.releaseLease(lease);
  return lease.expiresAtEpochMs - SECOND_MS;
}

export async function increment(store: Store, key: string): Promise<void> {
  for (;;) {
    const record = await store.read(key);
    if (record === undefined) throw new Error(`${key} is gone.`);
    const result = await store.write(key, { count: Number(record.value['count']) + 1 }, { expected: record.version });
    if (result.written) return;
  }
}

export function atOnce<Result>(call: (index: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: CALLERS }, (_, index) => call(index)));
}

/** A store may as well hand out frozen values. */
export function tryTo(mutate: () => unknown): void {
  try {
    mutate();
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown;
  }
}

export function equal(actual: unknown, expected: unknown): void {
  const [seen, wanted] = [sorted(actual), sorted(expected)];
  if (seen !== wanted) throw new Error(`Expected ${wanted}, got ${seen}.`);
}

/** JSON with the members of objects in order: stores may keep theirs in another. */
function sorted(value: unknown): string {
  if (value === undefined) return 'nothing';
  return JSON.stringify(value, (_name, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
