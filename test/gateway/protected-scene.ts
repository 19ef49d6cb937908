/** A protected handler with a scripted validator: tokens are names, and clients say whose they are. */

import { protect } from '../../src/gateway/protect.ts';
import type { ProtectedHandler, ProtectOptions } from '../../src/gateway/protect-options.ts';
import { TokenRejected, type TokenValidator, ValidatorUnavailable } from '../../src/gateway/token-validator.ts';
import type { LogRecord } from '../../src/options.ts';
import { parseChallenges } from '../../src/protocol/challenge.ts';
import { type SimulatedClock, simulatedClock } from '../helpers/simulated-clock.ts';
import { RESOURCE } from './token-issuer.ts';

export interface BackendClient {
  readonly token: string;
  closed: number;
  close(): void | Promise<void>;
}

/** `good-<name>` is valid with the scope `read`, `down` meets an outage, `broken` an error, all else is refused. */
export const scriptedValidator: TokenValidator = {
  async validate(token) {
    if (token.startsWith('good-')) return { token, subject: token.slice(5), scopes: ['read'], claims: { sub: token.slice(5) } };
    if (token === 'down') throw new ValidatorUnavailable('It is down.', { retryAfterSeconds: 17 });
    if (token === 'broken') throw new TypeError(`Cannot read ${token}`);
    throw new TokenRejected();
  },
};

export interface ProtectedScene {
  readonly handle: ProtectedHandler;
  readonly clients: BackendClient[];
  readonly records: LogRecord[];
  readonly clock: SimulatedClock;
  /** Answers the handler gave. */
  readonly served: { readonly token: string | undefined; readonly subject: string | undefined }[];
}

export function protectedScene(options: Partial<ProtectOptions<BackendClient>> = {}): ProtectedScene {
  const clients: BackendClient[] = [];
  const records: LogRecord[] = [];
  const served: { token: string | undefined; subject: string | undefined }[] = [];
  const clock = simulatedClock();
  const handle = protect<BackendClient>({
    resource: RESOURCE,
    validator: scriptedValidator,
    createClient: ({ token }) => {
      const client = backendClient(token.token);
      clients.push(client);
      return client;
    },
    logger: (record) => records.push(record),
    clock,
    ...options,
    handler: (request, call) => {
      served.push({ token: call.client?.token, subject: call.caller?.subject });
      if (options.handler !== undefined) return options.handler(request, call);
      return new Response(`hello ${call.caller?.subject ?? 'nobody'} by ${call.client.token}`);
    },
  });
  return { handle, clients, records, clock, served };
}

export function backendClient(token: string): BackendClient {
  return {
    token,
    closed: 0,
    close() {
      this.closed += 1;
    },
  };
}

/** A request with this `Authorization` header, or with none. */
export function requestWith(authorization?: string, init: RequestInit = {}, url: string = RESOURCE): Request {
  return new Request(url, { ...init, headers: { ...init.headers, ...(authorization !== undefined && { authorization }) } });
}

/** Scheme and parameters of the one challenge. */
export function challengeOf(response: Response): Readonly<Record<string, unknown>> {
  const challenges = parseChallenges(response.headers.get('www-authenticate') ?? '');
  if (challenges.length !== 1) throw new Error(`There are ${challenges.length} challenges.`);
  return { scheme: challenges[0]?.scheme, ...Object.fromEntries(challenges[0]?.parameters ?? []) };
}
