/** Mistakes in the configuration of validators, all told at once. */
import { toAuthorizationError } from '../errors.ts';
import { FailureError } from '../failure.ts';

export const when = (isWrong: boolean, problem: string): readonly string[] => (isWrong ? [problem] : []);

/** @throws AuthorizationError `invalid_configuration` if there are any */
export function throwProblems(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const failure = new FailureError('invalid_configuration', 'configuration', { problems, reason: problems.join(' ') });
  throw toAuthorizationError(failure, 'configuration');
}
