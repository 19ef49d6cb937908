/**
 * A record anyone may see that points to its secret in the vault.
 *
 * Both change as one. The new secret goes into a new vault entry; then the record
 * is moved over to it by compare-and-set, which is the commit; then the old entry
 * is deleted. A reader sees the old pair or the new one, never a mixture, and a
 * crash in between leaves a whole pair in force.
 *
 * Whoever can write the store but not the vault can bend a pointer: every secret
 * has a place in the vault that its owner knows, and one from elsewhere is neither
 * read nor deleted (ISS-01).
 */
import * as z from 'zod/mini';
import { FailureError } from '../failure.ts';
import type { JsonObject, Store, StoredRecord } from '../stores/contract.ts';
import { freshVaultKey, isInVaultPlace, type VaultPlace } from './keys.ts';
import { looseEntries, NEVER } from './loose-entries.ts';
import { decodeRecord, RECORD_FORMAT } from './record-format.ts';

interface Pair<Facts, Secret> {
  readonly facts: Facts;
  readonly version: string;
  /** Absent when the record has none. */
  readonly secret?: Secret;
  /** The record points to a secret that the vault no longer holds. */
  readonly secretLost: boolean;
}

interface Found<Facts> {
  readonly facts: Facts;
  readonly secretKey: string | undefined;
  readonly version: string;
}

type Replaced<Facts> =
  | { readonly replaced: true; readonly version: string }
  | { readonly replaced: false; readonly current: Found<Facts> | undefined };

// Each round that finds the record moved on means that another process succeeded.
const ROUNDS = 20;

/** The record of these facts: made once a kind and not once a client, since zod compiles each schema at its first use. */
export function recordOf<Facts extends object>(facts: z.ZodMiniType<Facts>) {
  return z.object({ secret: z.exactOptional(z.string()), facts });
}

const anyPointer = z.object({ secret: z.string() });

export function recordsWithSecret<Facts extends object, Secret extends object>(o: {
  readonly store: Store;
  readonly vault: Store;
  /** What the record is called in failures. */
  readonly kind: string;
  readonly record: ReturnType<typeof recordOf<Facts>>;
  readonly secret: z.ZodMiniType<Secret>;
}) {
  const { store, vault, kind } = o;

  const decode = (record: StoredRecord | undefined): Found<Facts> | undefined => {
    if (record === undefined) return undefined;
    const { facts, secret } = decodeRecord(kind, o.record, record);
    return { facts, secretKey: secret, version: record.version };
  };

  const readSecret = async (secretKey: string, place: VaultPlace): Promise<Secret | undefined> => {
    if (!isInVaultPlace(secretKey, place)) {
      throw new FailureError('record_unreadable', 'storage', { reason: `The ${kind} record points to a secret that is not its own.` });
    }
    const entry = await vault.read(secretKey);
    return entry && decodeRecord(`${kind} secret`, o.secret, entry);
  };

  const loose = looseEntries(vault);

  const contended = (): FailureError =>
    new FailureError('store_failed', 'storage', { reason: `Other processes kept changing the ${kind} record.` });

  return {
    /** Throws `record_unreadable` for a record that points to another's secret. */
    async read(key: string, place: VaultPlace): Promise<Pair<Facts, Secret> | undefined> {
      let missing: string | undefined;
      for (let round = 0; round < ROUNDS; round += 1) {
        const seenAt = loose.moment();
        const found = decode(await store.read(key));
        if (found === undefined) return undefined;
        await loose.settle(key, found, seenAt);
        const { facts, secretKey, version } = found;
        if (secretKey === undefined) return { facts, version, secretLost: false };
        const secret = await readSecret(secretKey, place);
        if (secret !== undefined) return { facts, version, secret, secretLost: false };
        // Another process may have moved the record on between the two reads: only what
        // is missing twice under an unmoved record is lost.
        if (missing === secretKey) return { facts, version, secretLost: true };
        missing = secretKey;
      }
      throw contended();
    },

    /** Without `basedOn` (a version, or null for none) whatever is there is replaced. */
    async replace(
      key: string,
      facts: Facts,
      {
        secret,
        place,
        basedOn,
      }: { readonly secret: Secret | undefined; readonly place: VaultPlace; readonly basedOn: string | null | undefined },
    ): Promise<Replaced<Facts>> {
      const newSecretKey = secret === undefined ? undefined : freshVaultKey(...place);
      const value: JsonObject = { format: RECORD_FORMAT, secret: newSecretKey, facts: { ...facts } as JsonObject };
      const seenAt = loose.moment();
      let before = decode(await store.read(key));
      await loose.settle(key, before, seenAt);
      if (isStale(basedOn, before)) return { replaced: false, current: before };
      if (newSecretKey !== undefined) {
        await vault.write(newSecretKey, { format: RECORD_FORMAT, ...secret } as JsonObject, { expected: null }).catch((thrown) => {
          loose.note(key, newSecretKey, NEVER);
          throw thrown;
        });
      }

      for (let round = 0; round < ROUNDS; round += 1) {
        const expected = before?.version ?? null;
        const left = owned(before?.secretKey, place);
        const sentAt = loose.moment();
        const result = await store.write(key, value, { expected }).catch((thrown) => {
          // It may have happened all the same: which of the two is in force is known when the record is seen again.
          for (const secretKey of [newSecretKey, left]) loose.note(key, secretKey, expected);
          throw thrown;
        });
        if (result.written) {
          await loose.discard(key, left);
          await loose.settle(key, { version: result.version, secretKey: newSecretKey }, sentAt);
          return { replaced: true, version: result.version };
        }
        before = decode(result.current);
        if (isStale(basedOn, before)) {
          await loose.discard(key, newSecretKey);
          return { replaced: false, current: before };
        }
      }
      await loose.discard(key, newSecretKey);
      throw contended();
    },

    /** Deletes both, also when the record cannot be understood. May be repeated after a failure. */
    async forget(key: string, place: VaultPlace, isMeant: (record: StoredRecord) => boolean = () => true): Promise<void> {
      for (let round = 0; round < ROUNDS; round += 1) {
        const seenAt = loose.moment();
        const record = await store.read(key);
        if (record === undefined) return loose.forget(key, seenAt);
        if (!isMeant(record)) return;
        // The secret goes first: should the record's turn fail, forgetting again still finds it.
        const secretKey = owned(anyPointer.safeParse(record.value).data?.secret, place);
        if (secretKey !== undefined) await vault.delete(secretKey);
        if (await store.delete(key, { expected: record.version })) return loose.forget(key, seenAt);
      }
      throw contended();
    },
  };
}

/** The entry, if it is one of this owner's: whoever bends a pointer must not have another's deleted. */
function owned(secretKey: string | undefined, place: VaultPlace): string | undefined {
  return secretKey !== undefined && isInVaultPlace(secretKey, place) ? secretKey : undefined;
}

function isStale(basedOn: string | null | undefined, current: { readonly version: string } | undefined): boolean {
  return basedOn !== undefined && basedOn !== (current?.version ?? null);
}
