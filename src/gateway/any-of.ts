/** Several kinds of tokens on one endpoint: people who log in, and machines with a static token (GWY-09). */
import { throwProblems, when } from '../misconfigured.ts';
import {
  isValidated,
  isValidatorUnavailable,
  TokenRejected,
  type TokenValidator,
  type ValidatedToken,
  type ValidationContext,
  ValidatorUnavailable,
} from './token-validator.ts';

/**
 * Asks one after the other, in the order given, and takes the first that accepts. If
 * none does it is a refusal, unless one could not be asked: the token may be one of its.
 * What a token is exchanged for is up to the validator that accepted it.
 *
 * @throws AuthorizationError `invalid_configuration` if there is none, or one is no validator
 */
export function anyOf(validators: readonly TokenValidator[]): TokenValidator {
  const isList = Array.isArray(validators) && validators.length > 0;
  throwProblems(
    when(
      !isList || validators.some((one) => typeof one?.validate !== 'function'),
      '`anyOf` needs a list of token validators, each with `validate`.',
    ),
  );
  /** Which of them accepted; gone with the request. */
  const acceptedBy = new WeakMap<object, TokenValidator>();

  const validate = async (token: string, context: ValidationContext): Promise<ValidatedToken> => {
    let outage: ValidatorUnavailable | undefined;
    for (const validator of validators) {
      try {
        const validated = await validator.validate(token, context);
        if (!isValidated(validated)) continue;
        // An object of our own: two validators may return the same one.
        const claims = { ...validated.claims };
        acceptedBy.set(claims, validator);
        return { ...validated, claims };
      } catch (thrown) {
        // Whatever else it threw is a refusal, see TokenValidator.
        if (isValidatorUnavailable(thrown)) outage ??= thrown;
      }
    }
    throw outage ?? new TokenRejected('No validator accepts it.');
  };

  return {
    validate,
    async exchange(validated, context) {
      const validator = acceptedBy.get(validated.claims);
      // Without its validator nobody knows what the backend should get: the caller's token may not be for it.
      if (validator === undefined) throw new ValidatorUnavailable('The token was not validated here.');
      return validator.exchange === undefined ? { token: validated.token } : validator.exchange(validated, context);
    },
  };
}
