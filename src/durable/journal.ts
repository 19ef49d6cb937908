/**
 * Write-ahead journal of one chart: what it decided is stored before its effects
 * run (RES-02). Recording is synchronous and cheap; effects await `flushed()`.
 * Of several checkpoints that wait to be written only the newest is, and writes
 * never overtake one another.
 *
 * Only whoever holds the flow's lease records. Every write is based on the version
 * read or written before: a process that was asleep cannot overwrite its successor.
 */
import type { Clock } from '../clock.ts';
import { type Failure, FailureError, kindOf } from '../failure.ts';
import { orderedJson } from '../ordered-json.ts';
import type { JsonObject, JsonValue, Store, WriteOptions, WriteResult } from '../stores/contract.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';

export interface Journal {
  /** Notes what is to be stored. The context is kept as it is, not copied: charts do not mutate theirs. */
  record(value: JsonValue, context: JsonObject): void;
  /**
   * Resolves when everything recorded so far, or something newer, is stored; rejects
   * if that failed, with `flow_taken_over` if another has written. The next record tries again.
   */
  flushed(): Promise<void>;
  /** The checkpoint in the store, whoever wrote it; what is read becomes what the next write is based on. */
  read(): Promise<Checkpoint | undefined>;
  /** Version of the record that the next write is based on; `null`: there is none. */
  readonly version: string | null;
  /** Another has written or deleted the record since this journal read or wrote it. */
  isOvertaken(): Promise<boolean>;
  /** Whatever the store holds: this takes its place, and is gone at the given instant. */
  overwrite(value: JsonValue, context: JsonObject, expiresAtEpochMs: number): Promise<void>;
  /** What could not be stored is given up: nobody waits for it any more. */
  giveUp(): void;
}

/** A store that takes no writes for days must not make this grow for ever. */
const MOST_UNSURE = 16;

export function createJournal(o: {
  readonly store: Store;
  readonly key: string;
  readonly clock: Clock;
  /** When a record of this context is gone by itself; left out: never. */
  readonly expiresAtEpochMs?: (context: JsonObject) => number;
  /** Told of every write that failed. */
  readonly report: (failure: Failure) => void;
}): Journal {
  const { store, key, clock } = o;
  let waiting: { readonly value: JsonValue; readonly context: JsonObject } | undefined;
  let recorded = 0;
  let stored = 0;
  let failed: FailureError | undefined;
  let writing: Promise<void> | undefined;
  let basedOn: string | null = null;
  /** Writes whose answer was lost, all since the version above: each may have happened, or may yet happen. */
  let unsure: readonly string[] = [];

  const isOurs = (found: JsonObject | undefined): boolean => found !== undefined && unsure.includes(orderedJson(found));

  const baseOn = (version: string | null): void => {
    // On the version before, nothing can be written any more.
    if (version !== basedOn) unsure = [];
    basedOn = version;
  };

  const write = async (checkpoint: JsonObject, expiry: Pick<WriteOptions, 'expiresAtEpochMs'>): Promise<void> => {
    let answer = await tryWrite(checkpoint, expiry);
    if (!answer.written && answer.current !== undefined && isOurs(answer.current.value)) {
      baseOn(answer.current.version);
      answer = await tryWrite(checkpoint, expiry);
    }
    if (!answer.written) throw new FailureError('flow_taken_over', 'storage');
    baseOn(answer.version);
  };

  const tryWrite = (checkpoint: JsonObject, expiry: Pick<WriteOptions, 'expiresAtEpochMs'>): Promise<WriteResult> =>
    send(checkpoint, { expected: basedOn, ...expiry });

  const send = async (checkpoint: JsonObject, options: WriteOptions): Promise<WriteResult> => {
    try {
      return await store.write(key, checkpoint, options);
    } catch (thrown) {
      unsure = [...unsure, orderedJson(checkpoint)].slice(-MOST_UNSURE);
      throw thrown;
    }
  };

  const writeNext = async (): Promise<void> => {
    // One turn later: the microsteps of one transition become one write.
    await undefined;
    const newest = waiting;
    const upTo = recorded;
    waiting = undefined;
    try {
      if (newest !== undefined) {
        const expiry = o.expiresAtEpochMs && { expiresAtEpochMs: o.expiresAtEpochMs(newest.context) };
        await write(encodeCheckpoint({ ...newest, writtenAtEpochMs: clock.now() }), expiry ?? {});
      }
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

  const quiet = async (): Promise<void> => {
    while (writing !== undefined) await writing;
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
      baseOn(record?.version ?? null);
      return record && decodeCheckpoint(record.value);
    },
    get version() {
      return basedOn;
    },
    async isOvertaken() {
      await quiet();
      const before = basedOn;
      const record = await store.read(key);
      // Written by this journal while it was read.
      if (writing !== undefined || basedOn !== before) return false;
      return (record?.version ?? null) !== before && !isOurs(record?.value);
    },
    async overwrite(value, context, expiresAtEpochMs) {
      waiting = undefined;
      await quiet();
      // Whoever still waits for what was dropped waits for nothing.
      stored = recorded;
      const checkpoint = encodeCheckpoint({ value, context, writtenAtEpochMs: clock.now() });
      const result = await send(checkpoint, { expiresAtEpochMs });
      if (result.written) baseOn(result.version);
    },
    giveUp() {
      stored = recorded;
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
