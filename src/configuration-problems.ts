/** Everything that is wrong with the options of a client, each as a sentence that says what to change. Pure. */
import { failureOf } from './failure.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { lacking, problemsOfPlatform, unknownOptions, when } from './misconfigured.ts';
import type { AuthorizationClientOptions, PreregisteredClient } from './options.ts';
import { RESERVED_PARAMETERS } from './protocol/authorization-request.ts';
import { problemsOfClientMetadataUrl } from './protocol/client-metadata-document.ts';
import type { ServerMetadata } from './protocol/documents.ts';
import { isLoopbackHost, isSafeEndpoint } from './protocol/endpoint-url.ts';
import { canonicalResource } from './protocol/resource-identifier.ts';
import { isScopeToken } from './protocol/scope-token.ts';
import { parseScope } from './protocol/scopes.ts';

/** Empty if the client can be created. */
export function problemsOfOptions(options: AuthorizationClientOptions): readonly string[] {
  if (typeof options !== 'object' || options === null) return ['The options are missing; `resource` at least has to be named.'];
  return [
    ...unknownOptions(options, OPTIONS),
    ...problemsOfResource(options.resource),
    ...problemsOfClient(options),
    ...(options.preregistered ?? []).flatMap(problemsOfPreregistered),
    ...problemsOfRequest(options),
    ...Object.entries(options.issuers ?? {}).flatMap(([issuer]) => problemsOfIssuer('issuers', issuer)),
    ...Object.entries(options.serverMetadata ?? {}).flatMap(problemsOfServerMetadata),
    ...problemsOfLimits(options.limits ?? {}),
    ...problemsOfServerUrls(options.serverUrls),
    ...problemsOfParts(options),
  ];
}

/** Every option there is; a misspelt one would be left out without a word where nothing checks types. */
const OPTIONS = {
  account: true,
  allowUrl: true,
  attachTo: true,
  authenticateClient: true,
  authorizationParameters: true,
  chooseAuthorizationServer: true,
  clientMetadata: true,
  clientMetadataUrl: true,
  clock: true,
  confirmStepUp: true,
  fetch: true,
  inspect: true,
  issuers: true,
  limits: true,
  logger: true,
  offlineAccess: true,
  requireCallbackIssuer: true,
  preregistered: true,
  protocolVersion: true,
  random: true,
  resource: true,
  scope: true,
  serverMetadata: true,
  serverUrls: true,
  store: true,
  userAgent: true,
  validateResource: true,
  vault: true,
} as const satisfies Record<keyof AuthorizationClientOptions, true>;

/** The scopes of the option, which may be written as OAuth writes them. */
export function scopeList(scope: string | readonly string[]): readonly string[] {
  return typeof scope === 'string' ? parseScope(scope) : scope;
}

function problemsOfResource(resource: string | URL): readonly string[] {
  if (resource === undefined) return ['`resource` is missing: the URL of the MCP server.'];
  try {
    if (isSafeEndpoint(canonicalResource(resource))) return [];
    return [
      '`resource` must be an https URL, or http on a loopback address: access tokens must not travel in the clear (RFC 6750 section 5.3).',
    ];
  } catch (thrown) {
    return [`\`resource\` is not usable. ${failureOf(thrown, 'configuration').details.reason ?? ''}`.trim()];
  }
}

function problemsOfClient({
  clientMetadata,
  clientMetadataUrl,
  preregistered = [],
  userAgent,
}: AuthorizationClientOptions): readonly string[] {
  const redirectUris = clientMetadata?.redirect_uris;
  const issuers = preregistered.map((client) => client.issuer);
  return [
    ...(clientMetadataUrl === undefined ? [] : problemsOfClientMetadataUrl(clientMetadataUrl)),
    ...(redirectUris ?? []).flatMap(problemsOfRedirectUri),
    ...when(redirectUris?.length === 0, '`clientMetadata.redirect_uris` is empty.'),
    ...when(
      redirectUris === undefined && userAgent === undefined,
      'Without a `userAgent`, `clientMetadata.redirect_uris` has to say where the user comes back to.',
    ),
    ...when(new Set(issuers).size < issuers.length, '`preregistered` names the same issuer twice.'),
  ];
}

/** Schemes of the application's own are allowed (RFC 8252 section 7.1), those that a browser runs or shows are not. */
const UNSAFE_SCHEMES = new Set(['javascript:', 'data:', 'vbscript:', 'file:', 'blob:', 'about:']);

function problemsOfRedirectUri(uri: string): readonly string[] {
  const url = URL.parse(uri);
  const entry = `\`clientMetadata.redirect_uris\` has an entry`;
  if (url === null) return [`${entry} that is no URL: ${JSON.stringify(uri)}.`];
  const isClear = url.protocol === 'http:' && !isLoopbackHost(url.hostname);
  return [
    ...when(url.hash !== '', `${entry} with a fragment (RFC 6749 section 3.1.2).`),
    ...when(UNSAFE_SCHEMES.has(url.protocol), `${entry} with the scheme ${url.protocol}`),
    ...when(isClear, `${entry} that is http, though not on a loopback address: codes must not travel in the clear.`),
  ];
}

function problemsOfPreregistered(client: PreregisteredClient): readonly string[] {
  const method = client.token_endpoint_auth_method;
  const lacksSecret = method?.startsWith('client_secret') === true && (client.client_secret ?? '') === '';
  return [
    ...(client.issuer === undefined ? [] : problemsOfIssuer('preregistered', client.issuer)),
    ...when(typeof client.client_id !== 'string' || client.client_id === '', '`preregistered` has an empty `client_id`.'),
    ...when(lacksSecret, `\`preregistered\` wants ${method} but has no \`client_secret\`.`),
    ...when(
      method === 'private_key_jwt' && client.privateKey === undefined,
      '`preregistered` wants private_key_jwt but has no `privateKey`.',
    ),
  ];
}

function problemsOfIssuer(option: string, issuer: string): readonly string[] {
  const isIssuer = isSafeEndpoint(issuer) && !/[?#]/.test(issuer);
  return when(!isIssuer, `\`${option}\` names an issuer that is not an https URL without query and fragment: ${JSON.stringify(issuer)}.`);
}

function problemsOfServerMetadata([issuer, metadata]: readonly [string, ServerMetadata]): readonly string[] {
  const endpoints = Object.entries(metadata).filter(([name, value]) => name.endsWith('_endpoint') && value !== undefined);
  const name = `\`serverMetadata\` of ${JSON.stringify(issuer)}`;
  return [
    ...problemsOfIssuer('serverMetadata', issuer),
    ...when(metadata.issuer !== issuer, `${name} holds metadata of another issuer.`),
    ...when(metadata.authorization_endpoint === undefined, `${name} lacks \`authorization_endpoint\`.`),
    ...when(metadata.token_endpoint === undefined, `${name} lacks \`token_endpoint\`.`),
    ...endpoints.flatMap(([endpoint, url]) => when(!isSafeEndpoint(url), `${name} has an \`${endpoint}\` that is not https.`)),
  ];
}

function problemsOfRequest(options: AuthorizationClientOptions): readonly string[] {
  const { account, authorizationParameters = {}, attachTo, protocolVersion, scope } = options;
  const reserved = Object.keys(authorizationParameters).filter((name) => RESERVED_PARAMETERS.has(name));
  return [
    ...reserved.map((name) => `\`authorizationParameters\` must not set \`${name}\`: the flow does.`),
    ...when(
      scope !== undefined && !scopeList(scope).every(isScopeToken),
      '`scope` has a character that RFC 6749 section 3.3 does not allow.',
    ),
    ...when(account === '', '`account` is empty.'),
    ...when(attachTo !== undefined && attachTo !== 'origin' && attachTo !== 'path', '`attachTo` must be `origin` or `path`.'),
    ...when(protocolVersion !== undefined && !/^[\w.-]+$/.test(protocolVersion), '`protocolVersion` is not one, such as 2025-11-25.'),
  ];
}

/** With nothing of these, nothing could ever succeed. */
const POSITIVE: ReadonlySet<string> = new Set<keyof Limits>([
  'requestTimeoutMs',
  'responseBytes',
  'userDeadlineMs',
  'redirectReadyMs',
  'leaseMs',
  'storeOperationMs',
]);

function problemsOfLimits(limits: Partial<Limits>): readonly string[] {
  return Object.entries(limits).flatMap(([name, value]) => {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) return [`\`limits.${name}\` is no limit.`];
    const isNumber = typeof value === 'number' && Number.isFinite(value) && value >= 0;
    if (!isNumber) return [`\`limits.${name}\` must be a number that is not negative.`];
    return when(value === 0 && POSITIVE.has(name), `\`limits.${name}\` must be more than nothing.`);
  });
}

function problemsOfServerUrls(given: AuthorizationClientOptions['serverUrls']): readonly string[] {
  if (given === undefined) return [];
  const { rule, except, resolve, ...others } = typeof given === 'object' && given !== null ? given : { rule: given };
  return [
    ...Object.keys(others).map((name) => `\`serverUrls.${name}\` is no option.`),
    ...when(rule !== undefined && rule !== 'standard' && rule !== 'strict', '`serverUrls` must be `standard` or `strict`.'),
    ...when(except !== undefined && typeof except !== 'function', '`serverUrls.except` is not a function.'),
    ...when(
      resolve !== undefined && resolve !== false && typeof resolve !== 'function',
      '`serverUrls.resolve` is neither a function nor false.',
    ),
  ];
}

const STORE_OPERATIONS = ['read', 'write', 'delete', 'take', 'acquireLease', 'releaseLease'] as const;

function problemsOfParts({ store, vault, userAgent, clock, fetch, logger }: AuthorizationClientOptions): readonly string[] {
  return [
    ...lacking('store', store, STORE_OPERATIONS),
    ...lacking('vault', vault, STORE_OPERATIONS),
    ...lacking('userAgent', userAgent, ['open']),
    ...problemsOfPlatform({ clock, fetch, logger }),
  ];
}
