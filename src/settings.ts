/** Turns options into settings: defaults filled in, every mistake reported at once. */
import { type Clock, systemClock } from './clock.ts';
import { FailureError, failureOf } from './failure.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import type { AuthorizationClientOptions, FetchLike, LogRecord, PreregisteredClient } from './options.ts';
import { RESERVED_PARAMETERS } from './protocol/authorization-request.ts';
import { problemsOfClientMetadataUrl } from './protocol/client-metadata-document.ts';
import type { ClientMetadata } from './protocol/documents.ts';
import { isSafeEndpoint } from './protocol/endpoint-url.ts';
import { canonicalResource } from './protocol/resource-identifier.ts';
import { parseScope } from './protocol/scopes.ts';

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
  const problems = problemsOf(options);
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

function scopeList(scope: string | readonly string[]): readonly string[] {
  return typeof scope === 'string' ? parseScope(scope) : scope;
}

function problemsOf(options: AuthorizationClientOptions): readonly string[] {
  return [
    ...problemsOfResource(options.resource),
    ...problemsOfClient(options),
    ...problemsOfRequest(options),
    ...problemsOfLimits(options.limits ?? {}),
  ];
}

function problemsOfResource(resource: string | URL): readonly string[] {
  try {
    const canonical = canonicalResource(resource);
    if (isSafeEndpoint(canonical)) return [];
    return [
      '`resource` must be an https URL, or http on a loopback address: access tokens must not travel in the clear (RFC 6750 section 5.3).',
    ];
  } catch (thrown) {
    return [`\`resource\` is not usable. ${failureOf(thrown, 'configuration').details.reason ?? ''}`.trim()];
  }
}

function problemsOfClient(options: AuthorizationClientOptions): readonly string[] {
  const { clientMetadata, clientMetadataUrl, preregistered = [], userAgent } = options;
  const redirectUris = clientMetadata?.redirect_uris;
  const issuers = preregistered.map((client) => client.issuer);
  return [
    ...(clientMetadataUrl === undefined ? [] : problemsOfClientMetadataUrl(clientMetadataUrl)),
    ...(redirectUris ?? []).flatMap(problemsOfRedirectUri),
    ...(redirectUris?.length === 0 ? ['`clientMetadata.redirect_uris` is empty.'] : []),
    ...(redirectUris === undefined && userAgent === undefined
      ? ['Without a `userAgent`, `clientMetadata.redirect_uris` has to say where the user comes back to.']
      : []),
    ...(new Set(issuers).size < issuers.length ? ['`preregistered` names the same issuer twice.'] : []),
    ...preregistered.flatMap(problemsOfPreregistered),
  ];
}

function problemsOfRedirectUri(uri: string): readonly string[] {
  if (!URL.canParse(uri)) return [`\`clientMetadata.redirect_uris\` has an entry that is no URL: ${JSON.stringify(uri)}.`];
  if (new URL(uri).hash === '') return [];
  return ['`clientMetadata.redirect_uris` has an entry with a fragment (RFC 6749 section 3.1.2).'];
}

function problemsOfPreregistered(client: PreregisteredClient): readonly string[] {
  const problems: string[] = [];
  const method = client.token_endpoint_auth_method;
  if (client.client_id === '') problems.push('`preregistered` has an empty `client_id`.');
  if (method?.startsWith('client_secret') && client.client_secret === undefined) {
    problems.push(`\`preregistered\` wants ${method} but has no \`client_secret\`.`);
  }
  if (method === 'private_key_jwt' && client.privateKey === undefined) {
    problems.push('`preregistered` wants private_key_jwt but has no `privateKey`.');
  }
  return problems;
}

function problemsOfRequest(options: AuthorizationClientOptions): readonly string[] {
  const reserved = Object.keys(options.authorizationParameters ?? {}).filter((name) => RESERVED_PARAMETERS.has(name));
  const problems = reserved.map((name) => `\`authorizationParameters\` must not set \`${name}\`: the flow does.`);
  if (options.scope !== undefined && scopeList(options.scope).some((scope) => !/^[\x21\x23-\x5B\x5D-\x7E]+$/.test(scope))) {
    problems.push('`scope` has a character that RFC 6749 section 3.3 does not allow.');
  }
  if (options.account === '') problems.push('`account` is empty.');
  for (const issuer of Object.keys(options.issuers ?? {})) {
    if (!URL.canParse(issuer)) problems.push(`\`issuers\` has a key that is no URL: ${JSON.stringify(issuer)}.`);
  }
  return problems;
}

function problemsOfLimits(limits: Partial<Limits>): readonly string[] {
  return Object.entries(limits)
    .filter(([, value]) => !(typeof value === 'number' && Number.isFinite(value) && value >= 0))
    .map(([name]) => `\`limits.${name}\` must be a number that is not negative.`);
}
