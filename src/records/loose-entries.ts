/**
 * Vault entries of this process that belong to no record, or perhaps to none: the store carried a write
 * out and lost the answer, or may yet do so, or would not delete. They are deleted as soon as
 * that is certain, so that no secret stays behind that nobody can find any more.
 */
import type { Store } from '../stores/contract.ts';
import { tidyUp } from './tidy-up.ts';

/** What the record is now: its version and the entry it points to. */
interface InForce {
  readonly version: string;
  readonly secretKey?: string | undefined;
}

/** No write was sent that could make the record point to the entry. */
export const NEVER = undefined;

export interface LooseEntries {
  /**
   * A write that failed was based on this version of the record, `null` for none, and was to make it point to the entry, or
   * to leave it: as long as the record has that version, it may still.
   */
  note(key: string, secretKey: string | undefined, basedOn: string | null | typeof NEVER): void;
  /** Deletes the entry, now or with the next change. Never rejects. */
  discard(key: string, secretKey: string | undefined): Promise<void>;
  /** Deletes what the record, as it is seen now, can never point to again. Never rejects. */
  settle(key: string, inForce: InForce | undefined): Promise<void>;
  /** Deletes all that was noted: the record is wanted no more. Never rejects. */
  forget(key: string): Promise<void>;
}

export function looseEntries(vault: Store): LooseEntries {
  const noted = new Map<string, Map<string, string | null | typeof NEVER>>();

  const note: LooseEntries['note'] = (key, secretKey, basedOn) => {
    if (secretKey !== undefined) noted.set(key, (noted.get(key) ?? new Map()).set(secretKey, basedOn));
  };

  const removeWhere = async (key: string, isOver: (basedOn: string | null | typeof NEVER) => boolean): Promise<void> => {
    const entries = noted.get(key);
    if (entries === undefined) return;
    for (const [secretKey, basedOn] of entries) {
      if (!isOver(basedOn)) continue;
      const remove = (): Promise<boolean> => vault.delete(secretKey);
      // Once more at once: the next change may be made by a process that does not know of it.
      await tidyUp(
        remove()
          .catch(remove)
          .then(() => entries.delete(secretKey)),
      );
    }
    if (entries.size === 0) noted.delete(key);
  };

  const settle: LooseEntries['settle'] = async (key, inForce) => {
    const version = inForce?.version ?? null;
    const kept = inForce?.secretKey;
    const entries = noted.get(key);
    if (kept !== undefined && entries?.get(kept) !== version) entries?.delete(kept);
    await removeWhere(key, (basedOn) => basedOn !== version);
  };

  return {
    note,
    async discard(key, secretKey) {
      note(key, secretKey, NEVER);
      await removeWhere(key, (basedOn) => basedOn === NEVER);
    },
    settle,
    forget: (key) => removeWhere(key, () => true),
  };
}
