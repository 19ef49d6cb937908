/**
 * A keychain that may ask its user, and take as long as a person does: asked one thing at a
 * time, for so long and no longer, and with errors that say what to do.
 */
import type { Clock } from '../clock.ts';
import { FailureError } from '../failure.ts';
import type { Keychain } from './keychain.ts';

/** The last thing each keychain was asked, whoever asked it. */
const asked = new WeakMap<Keychain, Promise<unknown>>();

/**
 * The same keychain; each question waits for the one before it. Two at once would be two
 * windows for the user; and a native call that waits for an answer holds one of the few
 * threads that reading files needs, too.
 *
 * @throws FailureError `keychain_unavailable` when it fails or does not answer within `answerMs`.
 */
export function patientKeychain(keychain: Keychain, { clock, answerMs }: { readonly clock: Clock; readonly answerMs: number }): Keychain {
  const ask = async <Answer>(question: () => Promise<Answer>): Promise<Answer> => {
    const before = asked.get(keychain) ?? Promise.resolve();
    const waiting = new AbortController();
    const turn = before.then(() => {
      // Nobody waits for the answer any more: what has not begun does not happen.
      if (waiting.signal.aborted) throw tooLate();
      return question();
    });
    const done = turn.then(ignore, ignore);
    asked.set(keychain, done);
    const answered = new AbortController();
    const tooLong = clock.sleep(answerMs, answered.signal, { background: true }).then(() => {
      waiting.abort('over');
      throw tooLate();
    });
    try {
      return await Promise.race([turn, tooLong]);
    } catch (thrown) {
      throw thrown instanceof FailureError ? thrown : unavailable(thrown);
    } finally {
      answered.abort('over');
      tooLong.catch(ignore);
    }
  };
  return {
    get: (entry) => ask(async () => keychain.get(entry)),
    set: (entry) => ask(async () => keychain.set(entry)),
    delete: (entry) => ask(async () => keychain.delete(entry)),
  };
}

const ignore = (): void => {};

function tooLate(): FailureError {
  return new FailureError('keychain_unavailable', 'storage', { reason: 'It did not answer in time; it may be asking for its password.' });
}

/** By words of three operating systems; the text itself is not repeated, since nobody promises what stands in it. */
const REASONS: readonly (readonly [words: RegExp, reason: string])[] = [
  [/cancel|dismiss|denied|not allowed|not correct|locked|authori[sz]ation/i, 'It stayed locked, or its user refused.'],
  [/d-?bus|no result|no default|not found|not supported|not available|no such/i, 'None runs here, or it has no keychain to write to.'],
];

function unavailable(thrown: unknown): FailureError {
  const text = thrown instanceof Error ? thrown.message : '';
  const reason = REASONS.find(([words]) => words.test(text))?.[1];
  return new FailureError('keychain_unavailable', 'storage', reason === undefined ? {} : { reason });
}
