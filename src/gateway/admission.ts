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

/** One caller who waits. */
interface Waiting {
  readonly token: string;
  readonly signal: AbortSignal;
  /** By the platform's own clock, as the deadline is. */
  readonly sinceMs: number;
}

export function admission(parts: AdmissionParts): (token: string, signal: AbortSignal) => Promise<Admitted> {
  const { validator, resource, timeoutMs = VALIDATION_TIMEOUT_MS, log } = parts;
  /** The time is for all that is asked in one caller's name together. */
  const bounded = <Result>(work: (signal: AbortSignal) => Promise<Result>, { signal, sinceMs }: Waiting): Promise<Result> => {
    const leftMs = Math.max(0, timeoutMs - (performance.now() - sinceMs));
    return withinDeadline(work, leftMs, signal, (how) => new ValidatorUnavailable(`The validation ended early (${how}).`));
  };

  const rejected = (reason: string | undefined): Refused => {
    log('info', 'token-rejected', { reason });
    return { outcome: 'rejected' };
  };
  const unavailable = (reason: string | undefined, { signal }: Waiting, retryAfterSeconds?: number): Refused => {
    // Whoever left was not made to wait by an outage.
    if (!signal.aborted) log('warn', 'token-validator-unavailable', { reason });
    return { outcome: 'unavailable', retryAfterSeconds };
  };
  /** `undefined` for what a validator should not throw. */
  const known = (thrown: unknown, waiting: Waiting): Refused | undefined => {
    if (isTokenRejected(thrown)) return rejected(serverText(thrown.message, undefined, [waiting.token]));
    if (!isValidatorUnavailable(thrown)) return undefined;
    return unavailable(serverText(thrown.message, undefined, [waiting.token]), waiting, thrown.retryAfterSeconds);
  };

  const exchange = async (validated: ValidatedToken, waiting: Waiting) => {
    if (validator.exchange === undefined) return { outcome: 'exchanged', token: { token: validated.token } } as const;
    try {
      const token = await bounded(async (ending) => validator.exchange?.(validated, { resource, signal: ending }), waiting);
      if (typeof token?.token === 'string' && token.token !== '') return { outcome: 'exchanged', token } as const;
      return unavailable('The validator exchanged the token for nothing.', waiting);
    } catch (thrown) {
      const kind = kindWithout(thrown, waiting.token);
      return known(thrown, waiting) ?? unavailable(`The exchange threw something else (${kind}).`, waiting);
    }
  };

  return async (token, signal) => {
    const waiting: Waiting = { token, signal, sinceMs: performance.now() };
    try {
      const validated = await bounded(async (ending) => validator.validate(token, { resource, signal: ending }), waiting);
      // Validators that answer false or nothing for a token they do not want mean no.
      if (!isValidated(validated)) throw new TokenRejected('The validator did not return a validated token.');
      const { token: _, ...caller } = validated;
      return { outcome: 'admitted', caller, exchange: () => exchange({ ...validated, token }, waiting) };
    } catch (thrown) {
      return known(thrown, waiting) ?? rejected(`The validator threw something else (${kindWithout(thrown, token)}).`);
    }
  };
}

/** Names of errors are free text, too. */
const kindWithout = (thrown: unknown, token: string): string => serverText(kindOf(thrown), 60, [token]) ?? 'Error';
