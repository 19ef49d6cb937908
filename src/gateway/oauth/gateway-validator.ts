/** Validates the gateway's own access tokens, and exchanges them for the upstream token the backend needs (GWY-08, GWY-09). */
import { FailureError } from '../../failure.ts';
import { TokenRejected, type TokenValidator, ValidatorUnavailable } from '../token-validator.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import type { Grant } from './grant-records.ts';
import type { Grants } from './grants.ts';
import { passThroughValidator } from './pass-through-validator.ts';

export function gatewayValidator(
  settings: Pick<GatewaySettings, 'resource' | 'passThrough' | 'log' | 'clock'>,
  accessTokens: AccessTokens,
  grants: Grants,
): Required<TokenValidator> {
  const { resource, passThrough } = settings;
  if (passThrough !== undefined) return passThroughValidator(passThrough, settings, accessTokens, grants);

  const grantOf = async (grantId: unknown): Promise<Grant> => {
    const grant = typeof grantId === 'string' ? await unlessDown(() => grants.read(grantId)) : undefined;
    if (grant === undefined) throw new TokenRejected('Its grant has ended.');
    return grant;
  };

  return {
    async validate(token, context) {
      if (context.resource !== resource) throw new TokenRejected('It is for another resource.');
      const facts = await unlessDown(() => accessTokens.verify(token));
      if (facts === undefined) throw new TokenRejected();
      const { subject, clientId, scopes, expiresAtEpochSeconds, claims } = facts;
      return { token, subject, clientId, scopes, expiresAtEpochSeconds, claims };
    },

    /** What was revoked since the token was issued is found here: its grant is gone. */
    async exchange(validated, { signal }) {
      const grant = await grantOf(validated.claims['grant_id']);
      const { accessToken, expiresAtEpochMs } = await unlessDown(() => grants.upstreamToken(grant, signal));
      return { token: accessToken, ...(expiresAtEpochMs !== undefined && { expiresAtEpochSeconds: Math.floor(expiresAtEpochMs / 1000) }) };
    },
  };
}

/** @throws TokenRejected where the upstream tokens are at their end, ValidatorUnavailable for all else */
async function unlessDown<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof FailureError)) throw new ValidatorUnavailable();
    const { code, message, details } = thrown.failure;
    if (code === 'refresh_rejected') throw new TokenRejected('Its upstream tokens have ended.');
    const { retryAfterSeconds } = details;
    throw new ValidatorUnavailable(message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
  }
}
