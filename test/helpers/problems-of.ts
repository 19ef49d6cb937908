import { AuthorizationError } from '../../src/errors.ts';

/** What is wrong with the options, as the thrown error names it; empty where nothing is thrown. */
export function problemsOf(make: () => unknown): readonly string[] {
  try {
    make();
    return [];
  } catch (thrown) {
    if (!(thrown instanceof AuthorizationError)) throw thrown;
    return thrown.failure.details.problems ?? [];
  }
}
