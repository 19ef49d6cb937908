/** Turns options into settings: defaults filled in, every mistake reported at once. */
import { type Clock, systemClock } from './clock.ts';
import { problemsOfOptions, scopeList } from './configuration-problems.ts';
import { FailureError } from './failure.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import type { AuthorizationClientOptions, FetchLike, LogRecord } from './options.ts';
import type { ClientMetadata } from './protocol/documents.ts';
import { canonicalResource } from './protocol/resource-identifier.ts';

/** The newest revision of the MCP authorization specification authchart implements. */
export const PROTOCOL_VERSION = '2026-07-28';

const DEFAULT_REDIRECT_URI = 'http://127.0.0.1/callback';

type Defaulted =
  | 'account'
  | 'offlineAccess'
  | 'attachTo'
  | 'issuers'
  | 'serverMetadata'
  | 'protocolVersion'
  | 'fetch'
  | 'clock'
  | 'random'
  | 'authorizationParameters'
  | 'preregistered';

export type Settings = Omit<AuthorizationClientOptions, 'resource' | 'limits' | 'scope' | 'clientMetadata' | Defaulted> &
  Required<Pick<AuthorizationClientOptions, Defaulted>> & {
    readonly resource: string;
    readonly limits: Limits;
    readonly scopes?: readonly string[];
    readonly clientMetadata: Partial<ClientMetadata> & Pick<ClientMetadata, 'redirect_uris'>;
    readonly log: (level: LogRecord['level'], event: string, details?: Readonly<Record<string, unknown>>) => void;
  };

/**
 * Settings for one client.
 *
 * @throws FailureError `invalid_configuration`, its `details.problems` naming every mistake.
 */
export function resolveSettings(options: AuthorizationClientOptions): Settings {
  const problems = problemsOfOptions(options);
  if (problems.length > 0) {
    throw new FailureError('invalid_configuration', 'configuration', { problems, reason: problems.join(' ') });
  }
  const { limits, scope, clientMetadata, logger, ...rest } = options;
  const clock = options.clock ?? systemClock;
  const scopes = scope === undefined ? undefined : scopeList(scope);
  return {
    ...rest,
    resource: canonicalResource(options.resource),
    account: options.account ?? 'default',
    preregistered: options.preregistered ?? [],
    offlineAccess: options.offlineAccess ?? true,
    attachTo: options.attachTo ?? 'origin',
    issuers: options.issuers ?? {},
    serverMetadata: options.serverMetadata ?? {},
    protocolVersion: options.protocolVersion ?? PROTOCOL_VERSION,
    authorizationParameters: options.authorizationParameters ?? {},
    fetch: options.fetch ?? platformFetch,
    random: options.random ?? ((bytes) => crypto.getRandomValues(bytes)),
    clock,
    limits: { ...DEFAULT_LIMITS, ...limits },
    ...(scopes !== undefined && { scopes }),
    clientMetadata: { ...clientMetadata, redirect_uris: clientMetadata?.redirect_uris ?? [DEFAULT_REDIRECT_URI] },
    ...logging(logger, clock),
  };
}

/** Nothing is logged by default (SEC-05), and a flow does not end because nobody can write about it. */
function logging(given: AuthorizationClientOptions['logger'], clock: Clock): Pick<Settings, 'log' | 'logger'> {
  if (given === undefined) return { log: () => {} };
  const logger = (record: LogRecord): void => {
    try {
      given(record);
    } catch {
      // Whom should one tell?
    }
  };
  return { logger, log: (level, event, details) => logger({ ...details, level, event, atEpochMs: clock.now() }) };
}

// Looked up at each call: a fetch that is replaced later (tests, instrumentation) is honoured.
const platformFetch: FetchLike = (input, init) => globalThis.fetch(input, init);
