/** What the parts of the gateway find wrong with their options, in the words of the command line. */

import { AuthorizationError } from '../../errors.ts';
import { problemsOfGatewayOptions } from '../../gateway/oauth/option-problems.ts';
import { problemsOfKeys } from '../../gateway/oauth/signing-keys.ts';
import { OidcTokenValidator } from '../../gateway/oidc-token-validator.ts';
import { staticTokenValidator } from '../../gateway/static-token-validator.ts';
import { keyRing } from '../../stores/sealing-keys.ts';
import type { GatewayConfiguration } from './configuration.ts';
import { gatewayOptions, oidcOptions } from './part-options.ts';
import type { Setting } from './setting-names.ts';
import type { GivenSettings } from './setting-sources.ts';

/** The longest first: a problem names one option, which may begin as another does. */
const GATEWAY_OPTIONS: readonly (readonly [option: string, setting: Setting])[] = [
  ['upstream.endpoints.authorization', 'authorizeEndpoint'],
  ['upstream.endpoints.token', 'tokenEndpoint'],
  ['upstream.clientSecret', 'clientSecret'],
  ['upstream.clientKey', 'clientKeyFile'],
  ['upstream.clientId', 'clientId'],
  ['upstream.resource', 'upstreamResource'],
  ['upstream.scopes', 'upstreamScope'],
  ['upstream.issuer', 'issuer'],
  ['limits.redirectUris', 'maxRedirectUris'],
  ['tokens.signingKeys', 'keysFile'],
  ['sealingKeys', 'keysFile'],
  ['clientAddressHeader', 'clientAddressHeader'],
  ['defaultScope', 'defaultScope'],
  ['resource', 'resource'],
  ['issuer', 'gatewayIssuer'],
  ['scopes', 'scope'],
  ['name', 'name'],
];
const OIDC_OPTIONS: readonly (readonly [option: string, setting: Setting])[] = [
  ['issuer', 'issuer'],
  ['audience', 'audience'],
  ['algorithms', 'algorithms'],
  ['leewaySeconds', 'leeway'],
];

export async function problemsOfParts(configuration: GatewayConfiguration, given: GivenSettings): Promise<readonly string[]> {
  const { signIn, staticTokens, keys } = configuration;
  const options = gatewayOptions(configuration);
  const named = (problem: string, options: typeof GATEWAY_OPTIONS): string =>
    options.reduce((text, [option, setting]) => text.replaceAll(`\`${option}\``, given.label(setting)), problem);
  return [
    ...[...problemsOfGatewayOptions(options), ...(await problemsOfKeys(options))]
      .filter((problem) => !NOT_OF_THE_COMMAND_LINE.test(problem) && (signIn !== undefined || !/^`upstream/.test(problem)))
      .map((problem) => named(problem, GATEWAY_OPTIONS)),
    ...(configuration.issuer === undefined ? [] : tried(() => new OidcTokenValidator(oidcOptions(configuration, {})))).map((problem) =>
      named(problem, OIDC_OPTIONS),
    ),
    ...(staticTokens === undefined ? [] : tried(() => staticTokenValidator(staticTokens))),
    ...(keys === undefined ? [] : tried(() => keyRing(keys.sealingKeys))).map((problem) => `${given.label('keysFile')}: ${problem}`),
  ];
}

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
