/** Mistakes in the configuration of the gateway's parts, all told at once. */
import { AuthorizationError } from '../errors.ts';
import { failure } from '../failure.ts';

export const when = (isWrong: boolean, problem: string): readonly string[] => (isWrong ? [problem] : []);

/** @throws AuthorizationError `invalid_configuration` if there are any */
export function throwProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw misconfigured(problems);
}

export function misconfigured(problems: readonly string[]): AuthorizationError {
  const reason = problems.join(' ');
  return new AuthorizationError({
    ...failure('invalid_configuration', 'configuration', { problems, reason }),
    // The texts of the code speak of a client, which nobody has made here.
    message: `The gateway is configured wrongly. ${reason}`,
    advice: 'Mend every problem listed, then create the gateway again.',
  });
}
