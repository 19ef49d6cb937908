import { expect } from 'vitest';
import { AuthorizationError } from '../../src/errors.ts';

/** What is wrong with the options, as the thrown error names it; empty where nothing is thrown. */
export function problemsOf(make: () => unknown): readonly string[] {
  try {
    make();
    return [];
  } catch (thrown) {
    if (!(thrown instanceof AuthorizationError)) throw thrown;
    const { failure, message } = thrown;
    expect(failure).toMatchObject({ code: 'invalid_configuration', phase: 'configuration', action: 'reconfigure', retryable: false });
    const { problems = [message] } = failure.details;
    for (const problem of problems) expect(message).toContain(problem);
    return problems;
  }
}
