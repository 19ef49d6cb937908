/**
 * Validates the identity provider's tokens where clients hold those (GWY-08). A validator that refuses what the gateway
 * handed out a moment ago was given the wrong settings: the client signs in again and again, and only the log can say why.
 */
import { kindOf } from '../../failure.ts';
import { serverText } from '../../protocol/server-text.ts';
import { isTokenRejected, isValidatorUnavailable, type TokenValidator } from '../token-validator.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import type { Grants } from './grants.ts';

const BETWEEN_WARNINGS_MS = 60_000;

export function passThroughValidator(
  validator: TokenValidator,
  { log, clock }: Pick<GatewaySettings, 'log' | 'clock'>,
  accessTokens: AccessTokens,
  grants: Grants,
): Required<TokenValidator> {
  let warnedAtEpochMs: number | undefined;

  const mayWarn = (): boolean => {
    const since = warnedAtEpochMs === undefined ? Number.POSITIVE_INFINITY : clock.now() - warnedAtEpochMs;
    // A clock that was set back must not keep it silent.
    return since >= BETWEEN_WARNINGS_MS || since < 0;
  };

  /** What was revoked meanwhile is refused rightly. */
  const isGood = async (token: string): Promise<boolean> => {
    if ((await accessTokens.isJustIssued?.(token)) !== true) return false;
    const owner = await accessTokens.ownerOf(token);
    return owner !== undefined && (await grants.read(owner.grantId)) !== undefined;
  };

  const warn = async (token: string, reason: string | undefined): Promise<void> => {
    try {
      if (!mayWarn() || !(await isGood(token)) || !mayWarn()) return;
      warnedAtEpochMs = clock.now();
      log('warn', 'gateway.handed-out-token-rejected', { reason });
    } catch {
      // The store is down: the refusal stands without it.
    }
  };

  return {
    async validate(token, context) {
      try {
        return await validator.validate(token, context);
      } catch (thrown) {
        if (!isValidatorUnavailable(thrown)) await warn(token, reasonOf(thrown, token));
        throw thrown;
      }
    },
    exchange: (validated, context) => validator.exchange?.(validated, context) ?? Promise.resolve({ token: validated.token }),
  };
}

/** Texts of errors that are not ours may quote the token in part. */
function reasonOf(thrown: unknown, token: string): string | undefined {
  return isTokenRejected(thrown)
    ? serverText(thrown.message, undefined, [token])
    : `The validator threw something else (${serverText(kindOf(thrown), 60, [token]) ?? 'Error'}).`;
}
