/** Mistakes in what somebody made authchart's parts from, all told at once. */
import { AuthorizationError } from './errors.ts';
import { failure } from './failure.ts';

export const when = (isWrong: boolean, problem: string): readonly string[] => (isWrong ? [problem] : []);

/** @throws AuthorizationError `invalid_configuration` if there are any */
export function throwProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw misconfigured(problems);
}

export function misconfigured(problems: readonly string[]): AuthorizationError {
  return new AuthorizationError(failure('invalid_configuration', 'configuration', { problems, reason: problems.join(' ') }));
}
