/** docs/gateway-options.md: what the parts of the gateway can be told in a program. */
import { DEFAULT_GATEWAY_LIMITS } from '../../../src/gateway/oauth/gateway-options.ts';
import type { Page } from './page.ts';

const GATEWAY = 'src/gateway/oauth/gateway-options.ts';
const PROTECT = 'src/gateway/protect-options.ts';
const VALIDATOR = 'src/gateway/token-validator.ts';

export const GATEWAY_PAGE: Page = {
  title: 'Options of the gateway',
  introduction: [
    'Generated from the docstrings by `npm run docs`. How the parts go together: [gateway.md](gateway.md#in-a-program). The options of the',
    'command: [command-line.md](command-line.md#gateway). Everything here is imported from `authchart/gateway`.',
  ].join('\n'),
  sections: [
    {
      heading: '`createGateway(options)`',
      level: 2,
      words: ['src/gateway/oauth/create-gateway.ts', 'createGateway'],
      options: [GATEWAY, 'GatewayOptions'],
    },
    { heading: '`upstream`', options: [GATEWAY, 'UpstreamOptions'] },
    { heading: '`tokens`', options: [GATEWAY, 'GatewayTokenOptions'] },
    { heading: '`signingKeys`, `clientKey`', words: [GATEWAY, 'SigningKey'], shapes: [[GATEWAY, 'SigningKey']] },
    {
      heading: '`sealingKeys`',
      options: ['src/stores/sealing-keys.ts', 'SealingKeys'],
      shapes: [['src/stores/sealing-keys.ts', 'SealingKey']],
    },
    {
      heading: '`clientMetadataDocuments`',
      text: 'The rule is always `strict`; `except` and `resolve` are those of [`serverUrls`](options.md#serverurls).',
      words: ['src/options.ts', 'ServerUrlExceptions'],
    },
    { heading: '`consent`', options: [GATEWAY, 'ConsentOptions'] },
    { heading: '`texts`', words: [GATEWAY, 'ConsentTexts'], shapes: [[GATEWAY, 'ConsentTexts']] },
    { heading: '`limits`', options: [GATEWAY, 'GatewayLimits'], defaults: { ...DEFAULT_GATEWAY_LIMITS } },
    { heading: 'The gateway', calls: ['src/gateway/oauth/create-gateway.ts', 'Gateway'] },
    {
      heading: '`gatewayOptionsFromEnvironment(environment, readFile?)`',
      words: ['src/gateway/oauth/environment-options.ts', 'gatewayOptionsFromEnvironment'],
    },
    {
      heading: '`resourceServer(options)`',
      level: 2,
      words: ['src/gateway/oauth/resource-server.ts', 'resourceServer'],
      options: ['src/gateway/oauth/resource-server.ts', 'ResourceServerOptions'],
      calls: ['src/gateway/oauth/resource-server.ts', 'ResourceServer'],
    },
    { heading: '`protect(options)`', level: 2, words: ['src/gateway/protect.ts', 'protect'], options: [PROTECT, 'ProtectOptions'] },
    { heading: 'Without a client', words: [PROTECT, 'ProtectOptionsWithoutClient'] },
    { heading: '`createClient`', words: [PROTECT, 'BackendAccess'], facts: [PROTECT, 'BackendAccess'] },
    { heading: '`handler`', words: [PROTECT, 'ProtectedCall'], facts: [PROTECT, 'ProtectedCall'] },
    { heading: '`currentCaller()`', words: ['src/gateway/current-caller.ts', 'currentCaller'] },
    { heading: '`InsufficientScope`', words: ['src/gateway/insufficient-scope.ts', 'InsufficientScope'] },
    { heading: 'What a platform gives', words: [PROTECT, 'ProtectedHandler'], facts: [PROTECT, 'RequestPlatform'] },
    {
      heading: '`reverseProxy(options)`',
      level: 2,
      words: ['src/gateway/proxy/reverse-proxy.ts', 'reverseProxy'],
      options: ['src/gateway/proxy/proxy-options.ts', 'ReverseProxyOptions'],
    },
    {
      heading: '`gatewayHandler(options)`',
      level: 2,
      words: ['src/gateway/gateway-handler.ts', 'gatewayHandler'],
      options: ['src/gateway/gateway-handler.ts', 'GatewayHandlerOptions'],
    },
    { heading: 'Validators', level: 2 },
    {
      heading: '`new OidcTokenValidator(options)`',
      words: ['src/gateway/oidc-token-validator.ts', 'OidcTokenValidator'],
      options: ['src/gateway/oidc-token-validator.ts', 'OidcTokenValidatorOptions'],
    },
    {
      heading: '`introspectionValidator(options)`',
      text: 'Tokens that only their authorization server can read (RFC 7662).',
      words: ['src/gateway/introspection-validator.ts', 'introspectionValidator'],
      options: ['src/gateway/introspection-validator.ts', 'IntrospectionOptions'],
    },
    {
      heading: '`staticTokenValidator(tokens)`',
      words: ['src/gateway/static-token-validator.ts', 'staticTokenValidator'],
      options: ['src/gateway/static-token-validator.ts', 'StaticToken'],
    },
    { heading: '`anyOf(validators)`', words: ['src/gateway/any-of.ts', 'anyOf'] },
    { heading: '`validatorFromFactory(named)`', words: ['src/gateway/validator-factory.ts', 'validatorFromFactory'] },
    { heading: 'One of your own', words: [VALIDATOR, 'TokenValidator'], calls: [VALIDATOR, 'TokenValidator'] },
    { heading: 'What it is told, and returns', facts: [VALIDATOR, 'ValidationContext'] },
    { heading: '`ValidatedToken`', words: [VALIDATOR, 'ValidatedToken'], facts: [VALIDATOR, 'ValidatedToken'] },
    { heading: '`BackendToken`', words: [VALIDATOR, 'BackendToken'], facts: [VALIDATOR, 'BackendToken'] },
    { heading: '`TokenRejected`', words: [VALIDATOR, 'TokenRejected'] },
    { heading: '`ValidatorUnavailable`', words: [VALIDATOR, 'ValidatorUnavailable'] },
  ],
};
