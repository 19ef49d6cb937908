/**
 * The server metadata of logins that wait: stored once for all that were begun with the same document, since it is a
 * third of a checkpoint and the same in all of them. A document is named by its digest, so that it can be neither
 * changed under a login nor mistaken for another issuer's (ISS-01).
 */
import * as z from 'zod/mini';
import { orderedJson } from '../ordered-json.ts';
import type { ServerMetadata } from '../protocol/documents.ts';
import type { JsonObject, Store, StoredRecord } from '../stores/contract.ts';
import { digest, recordKey } from './keys.ts';
import { decodeRecord, RECORD_FORMAT } from './record-format.ts';

export interface SharedMetadata {
  /** Sees to it that the store has this document until then, at the least. */
  keep(metadata: ServerMetadata, untilEpochMs: number): Promise<void>;
  /** The name of a document that was kept or found here; `undefined` for any other. */
  digestOf(metadata: ServerMetadata): string | undefined;
  /** `undefined` if it is gone, or is not what its name says. */
  find(digest: string): Promise<ServerMetadata | undefined>;
}

/** So that nearly every login finds the document there, for long enough, and writes nothing. */
const KEPT_LONGER_MS = 30 * 24 * 3_600_000;

const sharedRecord = z.object({ metadata: z.record(z.string(), z.unknown()), expiresAtEpochMs: z.number() });

export function createSharedMetadata(store: Store): SharedMetadata {
  // By the very object: contexts hand theirs on, and never change it.
  const digests = new WeakMap<ServerMetadata, string>();
  return {
    async keep(metadata, untilEpochMs) {
      const name = await nameOf(metadata);
      const found = await store.read(keyOf(name));
      // A later version has written it there: it is left alone, and the checkpoint holds the document itself (STO-05).
      if (isNewer(found)) return;
      const known = sharedRecord.safeParse(found?.value).data;
      if (known === undefined || known.expiresAtEpochMs < untilEpochMs || (await nameOf(known.metadata)) !== name) {
        const expiresAtEpochMs = untilEpochMs + KEPT_LONGER_MS;
        const record = { format: RECORD_FORMAT, expiresAtEpochMs, metadata: { ...metadata } as JsonObject };
        await store.write(keyOf(name), record, { expiresAtEpochMs });
      }
      digests.set(metadata, name);
    },
    digestOf: (metadata) => digests.get(metadata),
    async find(name) {
      const found = await store.read(keyOf(name));
      if (found === undefined) return undefined;
      const { metadata } = decodeRecord('metadata', sharedRecord, found);
      if ((await nameOf(metadata)) !== name) return undefined;
      // Its digest says that it is the document that was checked when it was fetched.
      const whole = metadata as unknown as ServerMetadata;
      digests.set(whole, name);
      return whole;
    },
  };
}

const anyFormat = z.object({ format: z.number() });
const isNewer = (found: StoredRecord | undefined): boolean => (anyFormat.safeParse(found?.value).data?.format ?? 0) > RECORD_FORMAT;

const nameOf = (metadata: object): Promise<string> => digest(orderedJson(metadata as JsonObject));

const keyOf = (name: string): string => recordKey('metadata', name);
