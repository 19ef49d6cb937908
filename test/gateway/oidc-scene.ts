/** An issuer, a validator for its tokens, and what became of a token in words. */
import { OidcTokenValidator, type OidcTokenValidatorOptions } from '../../src/gateway/oidc-token-validator.ts';
import { isTokenRejected, isValidatorUnavailable } from '../../src/gateway/token-validator.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { RESOURCE, tokenIssuer } from './token-issuer.ts';

export const context = { resource: RESOURCE, signal: new AbortController().signal };

export async function oidcScene(options: Partial<OidcTokenValidatorOptions> & { alg?: string } = {}) {
  const { alg = 'ES256', ...rest } = options;
  const clock = simulatedClock();
  const idp = await tokenIssuer({ alg, nowEpochMs: () => clock.now() });
  const validator = new OidcTokenValidator({ issuer: idp.issuer, clock, ...rest });
  const outcome = async (token: string): Promise<string> => {
    try {
      await validator.validate(token, context);
      return 'valid';
    } catch (thrown) {
      if (isTokenRejected(thrown)) return `rejected: ${thrown.message}`;
      if (isValidatorUnavailable(thrown)) return `unavailable for ${thrown.retryAfterSeconds} s`;
      throw thrown;
    }
  };
  return { clock, idp, validator, outcome, now: () => Math.floor(clock.now() / 1000) };
}
