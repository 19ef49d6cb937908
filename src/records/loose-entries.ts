/**
 * Vault entries of this process that belong to no record, or perhaps to none: the store carried a write
 * out and lost the answer, or may yet do so, or would not delete. They are deleted as soon as
 * that is certain, so that no secret stays behind that nobody can find any more.
 *
 * What a look at the record says holds for what was noted before it began: its answer may come after the record was
 * changed, and another write has failed.
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

/** Grows with every note. */
type Moment = number;

export interface LooseEntries {
  /** To be asked before the record is read, written or deleted. */
  moment(): Moment;
  /**
   * A write that failed was based on this version of the record, `null` for none, and was to make it point to the entry, or
   * to leave it: as long as the record has that version, it may still.
   */
  note(key: string, secretKey: string | undefined, basedOn: string | null | typeof NEVER): void;
  /** Deletes the entry, now or with the next change. Never rejects. */
  discard(key: string, secretKey: string | undefined): Promise<void>;
  /** Deletes what the record, as it was found by a look that began then, can never point to again. Never rejects. */
  settle(key: string, inForce: InForce | undefined, seenAt: Moment): Promise<void>;
  /** Deletes all that was noted by then: the record is wanted no more. Never rejects. */
  forget(key: string, seenAt: Moment): Promise<void>;
}

interface Note {
  readonly basedOn: string | null | typeof NEVER;
  readonly at: Moment;
}

export function looseEntries(vault: Store): LooseEntries {
  const noted = new Map<string, Map<string, Note>>();
  let moment: Moment = 0;

  const note: LooseEntries['note'] = (key, secretKey, basedOn) => {
    if (secretKey === undefined) return;
    moment += 1;
    noted.set(key, (noted.get(key) ?? new Map<string, Note>()).set(secretKey, { basedOn, at: moment }));
  };

  const removeWhere = async (key: string, isOver: (note: Note) => boolean): Promise<void> => {
    const entries = noted.get(key);
    if (entries === undefined) return;
    for (const [secretKey, one] of entries) {
      if (!isOver(one)) continue;
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

  const settle: LooseEntries['settle'] = async (key, inForce, seenAt) => {
    const version = inForce?.version ?? null;
    const isOver = ({ basedOn, at }: Note): boolean => at <= seenAt && basedOn !== version;
    for (const [secretKey, one] of noted.get(key) ?? []) {
      if (secretKey === inForce?.secretKey && isOver(one)) noted.get(key)?.delete(secretKey);
    }
    await removeWhere(key, isOver);
  };

  return {
    moment: () => moment,
    note,
    async discard(key, secretKey) {
      note(key, secretKey, NEVER);
      await removeWhere(key, ({ basedOn }) => basedOn === NEVER);
    },
    settle,
    forget: (key, seenAt) => removeWhere(key, ({ at }) => at <= seenAt),
  };
}
