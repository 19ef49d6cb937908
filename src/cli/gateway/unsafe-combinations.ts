/** What is right by itself and unsafe, or without meaning, together. Each is refused with the reason. */
import { when } from '../../misconfigured.ts';
import { isLoopbackHost, webUrl } from '../../protocol/endpoint-url.ts';
import { SECRET_VARIABLES } from './child-environment.ts';
import type { GatewayConfiguration } from './configuration.ts';
import { isListenedAt, isLoopbackListen } from './listen-address.ts';
import type { Setting } from './setting-names.ts';
import type { GivenSettings } from './setting-sources.ts';

export function unsafeCombinations(configuration: GatewayConfiguration, given: GivenSettings): readonly string[] {
  return [
    ...issuerProblems(configuration, given),
    ...networkProblems(configuration, given),
    ...tokenProblems(configuration, given),
    ...storeProblems(configuration, given),
  ];
}

/** Of use only where the gateway itself signs people in. */
const SIGN_IN_ONLY: readonly Setting[] = [
  'clientSecret',
  'clientSecretFile',
  'clientKeyFile',
  'clientAddressHeader',
  'gatewayIssuer',
  'defaultScope',
  'tokenFormat',
  'authorizeEndpoint',
  'tokenEndpoint',
  'upstreamScope',
  'upstreamResource',
  'maxRedirectUris',
  'store',
];

function issuerProblems({ issuer, signIn }: GatewayConfiguration, given: GivenSettings): readonly string[] {
  const endpoints = signIn?.endpoints;
  return [
    ...when(
      signIn?.clientSecret !== undefined && signIn.clientKey !== undefined,
      `${given.label('clientKeyFile')} signs in place of a secret, and there is a secret, too: which one counts?`,
    ),
    ...when(
      issuer === undefined && endpoints === undefined,
      `${given.label('issuer')} is missing: the identity provider that people sign in at.`,
    ),
    ...(signIn === undefined
      ? SIGN_IN_ONLY.filter((setting) => given.has(setting)).map(
          (setting) =>
            `${given.label(setting)} needs ${given.label('clientId')}: without a client of its own the gateway signs nobody in, and clients go to the identity provider themselves.`,
        )
      : []),
  ];
}

function networkProblems(
  { resource, listen, backend, allowAnonymous, allowedOrigins, staticTokens }: GatewayConfiguration,
  given: GivenSettings,
): readonly string[] {
  const url = webUrl(resource);
  const target = backend.kind === 'http' ? webUrl(backend.url) : undefined;
  const isLocalResource = url !== undefined && isLoopbackHost(url.hostname);
  const isPublic = !isLoopbackListen(listen);
  const isItself = target?.protocol === 'http:' && portOf(target) === listen.port && isListenedAt(listen, target.hostname);
  return [
    ...when(
      isPublic && isLocalResource,
      `${given.label('listen')} opens the gateway to other machines, but ${given.label('resource')} is an address of this machine alone: clients elsewhere could not sign in, and what they send would travel in the clear. Name the https URL that clients use.`,
    ),
    ...when(
      isItself,
      `${given.label('backend')} is the gateway itself: requests would go round in a circle. Name the address the MCP server listens on.`,
    ),
    ...when(
      target?.protocol === 'http:' && !isLoopbackHost(target.hostname) && !given.has('allowPlainBackend') && !isItself,
      `${given.label('backend')} is plain http to another machine: whoever is between sees all requests and answers, and with \`--backend-token upstream\` the token. Use https, or say \`--allow-plain-backend\` where that network is yours alone.`,
    ),
    ...when(
      allowAnonymous && isPublic,
      `${given.label('allowAnonymous')} serves everybody who comes without a token; together with ${given.label('listen')}, that is everybody on the network. It is for this machine alone: listen on 127.0.0.1.`,
    ),
    ...when(
      allowAnonymous && !isLocalResource && url !== undefined,
      `${given.label('allowAnonymous')} serves everybody who comes without a token, and ${given.label('resource')} says that others reach it. It is for a resource on this machine alone.`,
    ),
    ...when(
      allowedOrigins?.some((origin) => origin !== '*' && webUrl(origin)?.origin !== origin) === true,
      `${given.label('allowedOrigin')} must be origins such as https://app.example.com, without path.`,
    ),
    ...when(
      backend.kind === 'http' && backend.token === 'upstream' && staticTokens !== undefined,
      `${given.label('staticTokenFile')} and ${given.label('backendToken')} upstream do not go together: nothing stands for a static token at the identity provider, and the backend would get the token itself, which opens this gateway.`,
    ),
    ...when(
      backend.kind === 'stdio' && given.has('backendToken') && given.text('backendToken') === 'upstream',
      `${given.label('backendToken')} upstream is for a backend that is a URL: a process is started once for a session, and the token in its environment would end before it. It is told who calls: AUTHCHART_SUBJECT.`,
    ),
    ...when(
      backend.kind === 'stdio' && backend.env.some((name) => SECRET_VARIABLES.includes(name)),
      `${given.label('backendEnv')} names a secret of the gateway's: the MCP server must not have it.`,
    ),
    ...(['allowPlainBackend', 'requestTimeout'] as const).flatMap((setting) =>
      when(backend.kind === 'stdio' && given.has(setting), `${given.label(setting)} is for a backend that is a URL.`),
    ),
  ];
}

const portOf = ({ port, protocol }: URL): number => (port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port));

function tokenProblems({ signIn, tokens, scopes, requiredScopes }: GatewayConfiguration, given: GivenSettings): readonly string[] {
  const validates = signIn === undefined || signIn.format === 'upstream';
  const unknown = scopes === undefined ? [] : requiredScopes.filter((scope) => !scopes.includes(scope));
  return [
    ...when(
      signIn?.format === 'upstream' &&
        tokens.factory === undefined &&
        (tokens.audience === undefined || given.text('issuer') === undefined),
      `${given.label('tokenFormat')} upstream hands the identity provider's own tokens to clients: name what must be in them, ${given.label('issuer')} and ${given.label('audience')}, or ${given.label('validator')}. Otherwise any token of that identity provider, for whatever it was meant, would open this server.`,
    ),
    // With a validator of one's own nothing else looks at those tokens: what is asked of them here would not be.
    ...(!validates || tokens.factory !== undefined
      ? (['audience', 'algorithms', 'leeway'] as const)
          .filter((setting) => given.has(setting))
          .map(
            (setting) =>
              `${given.label(setting)} is about the identity provider's tokens, and ${validates ? `with ${given.label('validator')} that validator alone judges them` : `clients get tokens of the gateway (${given.label('tokenFormat')} is ${signIn?.format})`}: leave it out.`,
          )
      : []),
    ...when(
      unknown.length > 0,
      `${given.label('requireScope')} has scopes that ${given.label('scope')} does not name: nobody could get them.`,
    ),
  ];
}

function storeProblems({ store, keys, signIn }: GatewayConfiguration, given: GivenSettings): readonly string[] {
  return [
    ...when(
      store !== undefined && !given.has('keysFile'),
      `${given.label('store')} needs \`--keys-file\`: with keys of one process, no other and no later one could read what is stored. \`authchart gateway keys\` writes one.`,
    ),
    ...when(
      keys !== undefined && signIn?.format === 'jwt' && keys.signingKeys.length === 0,
      `${given.label('keysFile')} names a file without a signing key, which \`--token-format\` jwt needs.`,
    ),
  ];
}
