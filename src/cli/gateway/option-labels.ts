/** What the parts of the gateway find wrong with their options, in the words of the command line. */

import { AuthorizationError } from '../../errors.ts';
import { problemsOfGatewayOptions } from '../../gateway/oauth/option-problems.ts';
import { problemsOfKeys } from '../../gateway/oauth/signing-keys.ts';
import { OidcTokenValidator } from '../../gateway/oidc-token-validator.ts';
import { problemsOfProxy } from '../../gateway/proxy/proxy-options.ts';
import { staticTokenValidator } from '../../gateway/static-token-validator.ts';
import { when } from '../../misconfigured.ts';
import { isScopeToken } from '../../protocol/scope-token.ts';
import { keyRing } from '../../stores/sealing-keys.ts';
import type { GatewayConfiguration } from './configuration.ts';
import { gatewayOptions, oidcOptions, proxyOptions } from './part-options.ts';
import type { Setting } from './setting-names.ts';
import type { GivenSettings } from './setting-sources.ts';

type Labels = Readonly<Record<string, Setting>>;

const GATEWAY_OPTIONS: Labels = {
  'upstream.endpoints.authorization': 'authorizeEndpoint',
  'upstream.endpoints.token': 'tokenEndpoint',
  'upstream.clientSecret': 'clientSecret',
  'upstream.clientKey': 'clientKeyFile',
  'upstream.clientId': 'clientId',
  'upstream.resource': 'upstreamResource',
  'upstream.scopes': 'upstreamScope',
  'upstream.issuer': 'issuer',
  'limits.redirectUris': 'maxRedirectUris',
  'tokens.signingKeys': 'keysFile',
  sealingKeys: 'keysFile',
  clientAddressHeader: 'clientAddressHeader',
  defaultScope: 'defaultScope',
  resource: 'resource',
  issuer: 'gatewayIssuer',
  scopes: 'scope',
  name: 'name',
};
const OIDC_OPTIONS: Labels = {
  issuer: 'issuer',
  audience: 'audience',
  algorithms: 'algorithms',
  leewaySeconds: 'leeway',
};
const PROXY_OPTIONS: Labels = {
  backend: 'backend',
  backendToken: 'backendToken',
  requestTimeoutMs: 'requestTimeout',
  resource: 'resource',
};

export async function problemsOfParts(configuration: GatewayConfiguration, given: GivenSettings): Promise<readonly string[]> {
  const { backend, issuer, signIn, staticTokens, keys, requiredScopes } = configuration;
  const options = gatewayOptions(configuration);
  const problemsOfHttp = backend.kind === 'http' ? problemsOfProxy(proxyOptions(configuration, backend)) : [];
  const inWordsOf = (labels: Labels, problems: readonly string[]): readonly string[] =>
    // At once: the label of one setting may be called as the option of another part is.
    problems.map((problem) =>
      problem.replaceAll(/`([\w.]+)`/g, (quoted, option: string) => (labels[option] === undefined ? quoted : given.label(labels[option]))),
    );
  const problemsOfGateway = [...problemsOfGatewayOptions(options), ...(await problemsOfKeys(options))].filter(
    (problem) => !NOT_OF_THE_COMMAND_LINE.test(problem) && (signIn !== undefined || !/^`upstream/.test(problem)),
  );
  return [
    ...inWordsOf(GATEWAY_OPTIONS, problemsOfGateway),
    ...inWordsOf(OIDC_OPTIONS, issuer === undefined ? [] : tried(() => new OidcTokenValidator(oidcOptions(configuration, {})))),
    ...inWordsOf(
      PROXY_OPTIONS,
      problemsOfHttp.filter((problem) => !SAID_ALREADY.test(problem)),
    ),
    ...(staticTokens === undefined ? [] : tried(() => staticTokenValidator(staticTokens))),
    ...(keys === undefined ? [] : tried(() => keyRing(keys.sealingKeys))).map((problem) => `${given.label('keysFile')}: ${problem}`),
    ...when(
      !requiredScopes.every(isScopeToken),
      `${given.label('requireScope')} must be a list of scopes as RFC 6749 section 3.3 allows them.`,
    ),
  ];
}

/** Of the proxy's options: the resource is the gateway's as well, and what the command line takes for a backend is a URL. */
const SAID_ALREADY = /^`(resource|backend)` (is not usable|is missing|must be)/;
/** The command line says it in its own words. */
const NOT_OF_THE_COMMAND_LINE = /^`(store|tokens\.(format|validator)|upstream`? has to name)/;

function tried(work: () => unknown): readonly string[] {
  try {
    work();
    return [];
  } catch (thrown) {
    const problems = thrown instanceof AuthorizationError ? thrown.failure.details.problems : undefined;
    if (problems === undefined) throw thrown;
    return problems;
  }
}
