/**
 * Asks the validator, and turns whatever it does into one of three outcomes
 * (GWY-09): no error of a validator becomes an error of ours, and none of its
 * texts leaves with the token inside.
 */
import { kindOf } from '../failure.ts';
import { withinDeadline } from '../protocol/deadline.ts';
import { serverText } from '../protocol/server-text.ts';
import type { GatewayLog } from './gateway-log.ts';
import type { Caller } from './protect-options.ts';
import {
  type BackendToken,
  isTokenRejected,
  isValidated,
  isValidatorUnavailable,
  TokenRejected,
  type TokenValidator,
  type ValidatedToken,
  ValidatorUnavailable,
} from './token-validator.ts';

const VALIDATION_TIMEOUT_MS = 10_000;

export type Refused =
  | { readonly outcome: 'rejected' }
  | { readonly outcome: 'unavailable'; readonly retryAfterSeconds: number | undefined };

export type Admitted =
  | {
      readonly outcome: 'admitted';
      readonly caller: Caller;
      /** Only for callers who have the scopes: the backend's token is not fetched for others. */
      readonly exchange: () => Promise<Refused | { readonly outcome: 'exchanged'; readonly token: BackendToken }>;
    }
  | Refused;

interface AdmissionParts {
  readonly validator: TokenValidator;
  readonly resource: string;
  readonly timeoutMs: number | undefined;
  readonly log: GatewayLog;
}

export function admission(parts: AdmissionParts): (token: string, signal: AbortSignal) => Promise<Admitted> {
  const { validator, resource, timeoutMs = VALIDATION_TIMEOUT_MS, log } = parts;
  const bounded = <Result>(work: (signal: AbortSignal) => Promise<Result>, signal: AbortSignal): Promise<Result> =>
    withinDeadline(work, timeoutMs, signal, (how) => new ValidatorUnavailable(`The validation ended early (${how}).`));

  const rejected = (reason: string | undefined): Refused => {
    log('info', 'token-rejected', { reason });
    return { outcome: 'rejected' };
  };
  const unavailable = (reason: string | undefined, retryAfterSeconds?: number): Refused => {
    log('warn', 'token-validator-unavailable', { reason });
    return { outcome: 'unavailable', retryAfterSeconds };
  };
  /** `undefined` for what a validator should not throw. */
  const known = (thrown: unknown, secrets: readonly string[]): Refused | undefined => {
    if (isTokenRejected(thrown)) return rejected(serverText(thrown.message, undefined, secrets));
    if (!isValidatorUnavailable(thrown)) return undefined;
    return unavailable(serverText(thrown.message, undefined, secrets), thrown.retryAfterSeconds);
  };

  const exchange = async (validated: ValidatedToken, signal: AbortSignal) => {
    if (validator.exchange === undefined) return { outcome: 'exchanged', token: { token: validated.token } } as const;
    try {
      const token = await bounded(async (ending) => validator.exchange?.(validated, { resource, signal: ending }), signal);
      if (typeof token?.token === 'string' && token.token !== '') return { outcome: 'exchanged', token } as const;
      return unavailable('The validator exchanged the token for nothing.');
    } catch (thrown) {
      return known(thrown, [validated.token]) ?? unavailable(`The exchange threw something else (${kind(thrown, validated.token)}).`);
    }
  };

  return async (token, signal) => {
    try {
      const validated = await bounded(async (ending) => validator.validate(token, { resource, signal: ending }), signal);
      // Validators that answer false or nothing for a token they do not want mean no.
      if (!isValidated(validated)) throw new TokenRejected('The validator did not return a validated token.');
      const { token: _, ...caller } = validated;
      return { outcome: 'admitted', caller, exchange: () => exchange({ ...validated, token }, signal) };
    } catch (thrown) {
      return known(thrown, [token]) ?? rejected(`The validator threw something else (${kind(thrown, token)}).`);
    }
  };
}

/** Names of errors are free text, too. */
const kind = (thrown: unknown, token: string): string => serverText(kindOf(thrown), 60, [token]) ?? 'Error';
