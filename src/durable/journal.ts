/**
 * Write-ahead journal of one chart: what it decided is stored before its effects
 * run (RES-02). Recording is synchronous and cheap; effects await `flushed()`.
 * Of several checkpoints that wait to be written only the newest is, and writes
 * never overtake one another.
 */
import type { Clock } from '../clock.ts';
import { type Failure, FailureError, kindOf } from '../failure.ts';
import type { JsonObject, JsonValue, Store } from '../stores/contract.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';

export interface Journal {
  /** Notes what is to be stored. The context is kept as it is, not copied: charts do not mutate theirs. */
  record(value: JsonValue, context: JsonObject): void;
  /**
   * Resolves when everything recorded so far, or something newer, is stored; rejects
   * if that failed. The next record tries again.
   */
  flushed(): Promise<void>;
  /** The checkpoint of an earlier process or page; what is read becomes what the next write is based on. */
  read(): Promise<Checkpoint | undefined>;
  /** Deletes the checkpoint and drops what was not written yet. */
  discard(): Promise<void>;
}

export function createJournal(o: {
  readonly store: Store;
  readonly key: string;
  readonly clock: Clock;
  /** Told of every write that failed. */
  readonly report: (failure: Failure) => void;
  /**
   * Only this journal may write the record from the version it read on: for whoever
   * holds the flow's lease. A write that finds another version rejects with
   * `flow_taken_over`, so that a process that was asleep cannot overwrite its
   * successor. Default false: the last writer wins.
   */
  readonly exclusive?: boolean;
}): Journal {
  const { store, key, clock, exclusive = false } = o;
  let waiting: { readonly value: JsonValue; readonly context: JsonObject } | undefined;
  let recorded = 0;
  let stored = 0;
  let failed: FailureError | undefined;
  let writing: Promise<void> | undefined;
  let basedOn: string | null = null;

  const write = async (value: JsonValue, context: JsonObject): Promise<void> => {
    const checkpoint = encodeCheckpoint({ value, context, writtenAtEpochMs: clock.now() });
    const result = await store.write(key, checkpoint, exclusive ? { expected: basedOn } : {});
    if (!result.written) throw new FailureError('flow_taken_over', 'storage');
    basedOn = result.version;
  };

  const writeNext = async (): Promise<void> => {
    // One turn later: the microsteps of one transition become one write.
    await undefined;
    const newest = waiting;
    const upTo = recorded;
    waiting = undefined;
    try {
      if (newest !== undefined) await write(newest.value, newest.context);
      stored = upTo;
    } catch (thrown) {
      failed = storeError(thrown);
      tell(o.report, failed.failure);
    }
    writing = waiting === undefined ? undefined : writeNext();
  };

  const settled = async (upTo: number): Promise<void> => {
    while (stored < upTo && writing !== undefined) await writing;
    if (stored < upTo && failed !== undefined) throw failed;
  };

  return {
    record(value, context) {
      recorded += 1;
      waiting = { value, context };
      writing ??= writeNext();
    },
    flushed() {
      return settled(recorded);
    },
    async read() {
      const record = await store.read(key);
      basedOn = record?.version ?? null;
      return record && decodeCheckpoint(record.value);
    },
    async discard() {
      while (writing !== undefined) {
        waiting = undefined;
        await writing;
      }
      waiting = undefined;
      // Whoever still waits for what was dropped waits for nothing.
      stored = recorded;
      if (!exclusive) await store.delete(key);
      else if (basedOn !== null) await store.delete(key, { expected: basedOn });
      basedOn = null;
    },
  };
}

function tell(report: (failure: Failure) => void, failure: Failure): void {
  try {
    report(failure);
  } catch {
    // A logger that fails must not stop the journal.
  }
}

function storeError(thrown: unknown): FailureError {
  if (thrown instanceof FailureError) return thrown;
  return new FailureError('store_failed', 'storage', { reason: `(${kindOf(thrown)})` });
}
