/** Waiting for a change of records that others write: told at once where the store can tell, and looked for from time to time all the same. */
import type { Clock } from '../clock.ts';
import type { Store } from '../stores/contract.ts';

export interface WatchedPause {
  readonly keys: readonly string[];
  readonly durationMs: number;
  /** The wait alone does not keep the process alive. */
  readonly background?: boolean;
}

/** Resolves after `durationMs`, or as soon as the store tells of a change of one of the keys; rejects when aborted. */
export async function watchedPause(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  { keys, durationMs, background = false }: WatchedPause,
  signal: AbortSignal,
): Promise<void> {
  const changed = new AbortController();
  const stops = keys.map((key) => store.watch?.(key, () => changed.abort(CHANGED)));
  try {
    await clock.sleep(durationMs, AbortSignal.any([changed.signal, signal]), { background });
  } catch (thrown) {
    if (signal.aborted) throw thrown;
  } finally {
    for (const stop of stops) stop?.();
  }
}

// Given a reason, `abort` need not make an exception with a stack of its own.
const CHANGED = 'changed';
