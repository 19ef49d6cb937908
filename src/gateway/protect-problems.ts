/** Everything that is wrong with the options of `protect`, each as a sentence that says what to change. Pure. */
import { failureOf } from '../failure.ts';
import { type Given, notFunctions, problemsOfPlatform, unknownOptions, when } from '../misconfigured.ts';
import { isSafeEndpoint } from '../protocol/endpoint-url.ts';
import { canonicalResource } from '../protocol/resource-identifier.ts';
import { isScopeToken } from '../protocol/scope-token.ts';
import { isOrigin } from './cross-origin.ts';
import type { ProtectOptions, ProtectOptionsWithoutClient } from './protect-options.ts';

const OPTIONS = {
  resource: true,
  validator: true,
  scopes: true,
  createClient: true,
  closeClient: true,
  handler: true,
  fallbackClient: true,
  fallbackOrigins: true,
  resourceMetadataUrl: true,
  validationTimeoutMs: true,
  onError: true,
  logger: true,
  clock: true,
} as const satisfies Record<keyof ProtectOptions<unknown>, true>;

/** Empty if the handler can be protected. */
export function problemsOfProtection(options: ProtectOptions<unknown> | ProtectOptionsWithoutClient): readonly string[] {
  if (typeof options !== 'object' || options === null) return ['The options are missing.'];
  const given: Given = { ...options };
  return [
    ...unknownOptions(given, OPTIONS),
    ...problemsOfResource(options.resource),
    ...when(
      typeof options.validator?.validate !== 'function',
      '`validator` is missing: without one, whoever sends anything would be let in.',
    ),
    ...when(
      options.validator?.exchange !== undefined && typeof options.validator.exchange !== 'function',
      '`validator.exchange` is not a function.',
    ),
    ...when(typeof given['handler'] !== 'function', '`handler` is missing, or not a function.'),
    // There and undefined is a mistake elsewhere: the handler would find no client.
    ...when(
      'createClient' in given && typeof given['createClient'] !== 'function',
      '`createClient` is not a function: leave it out where the handler needs no client.',
    ),
    ...['closeClient', 'fallbackClient'].flatMap((name) =>
      when(given[name] !== undefined && !('createClient' in given), `\`${name}\` needs \`createClient\`, which is missing.`),
    ),
    ...notFunctions(given, ['closeClient', 'onError']),
    ...problemsOfPlatform(given),
    ...problemsOfScopes(options.scopes),
    ...when(
      options.fallbackClient === null,
      '`fallbackClient` is null: leave it out where requests without credentials have to be refused.',
    ),
    ...when(
      options.fallbackOrigins !== undefined && !(Array.isArray(options.fallbackOrigins) && options.fallbackOrigins.every(isOrigin)),
      '`fallbackOrigins` must be a list of origins such as https://app.example.com, without path.',
    ),
    ...when(
      options.resourceMetadataUrl !== undefined && !isHeaderUrl(options.resourceMetadataUrl),
      '`resourceMetadataUrl` must be an https URL (or http on a loopback address).',
    ),
    ...when(
      options.validationTimeoutMs !== undefined && !(Number.isFinite(options.validationTimeoutMs) && options.validationTimeoutMs > 0),
      '`validationTimeoutMs` must be a number above zero.',
    ),
  ];
}

export function problemsOfResource(resource: string | URL): readonly string[] {
  if (resource === undefined) return ['`resource` is missing: the public URL of the MCP server.'];
  try {
    const isSafe = isSafeEndpoint(canonicalResource(resource));
    return when(!isSafe, '`resource` must be an https URL, or http on a loopback address: access tokens must not travel in the clear.');
  } catch (thrown) {
    return [`\`resource\` is not usable. ${failureOf(thrown, 'configuration').details.reason ?? ''}`.trim()];
  }
}

/** It is put into a header in quotes. */
const isHeaderUrl = (url: unknown): boolean => isSafeEndpoint(url) && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(url);

function problemsOfScopes(scopes: unknown): readonly string[] {
  if (scopes === undefined) return [];
  if (!Array.isArray(scopes)) return ['`scopes` must be a list of scopes.'];
  return scopes
    .filter((scope) => typeof scope !== 'string' || !isScopeToken(scope))
    .map((scope) => `\`scopes\` holds ${JSON.stringify(scope)}, which is no scope (RFC 6749 section 3.3).`);
}
