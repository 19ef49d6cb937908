/** `authchart/gateway`: the login in front of an MCP server that has none. Runs without Node. */

export { anyOf } from './gateway/any-of.ts';
export { currentCaller } from './gateway/current-caller.ts';
export { type GatewayHandlerOptions, gatewayHandler } from './gateway/gateway-handler.ts';
export { InsufficientScope } from './gateway/insufficient-scope.ts';
export { type IntrospectionOptions, introspectionValidator } from './gateway/introspection-validator.ts';
export { createGateway, type Gateway } from './gateway/oauth/create-gateway.ts';
export { gatewayOptionsFromEnvironment } from './gateway/oauth/environment-options.ts';
export type {
  ConsentOptions,
  ConsentTexts,
  GatewayLimits,
  GatewayOptions,
  GatewayTokenOptions,
  SigningKey,
  UpstreamOptions,
} from './gateway/oauth/gateway-options.ts';
export { type ResourceServer, type ResourceServerOptions, resourceServer } from './gateway/oauth/resource-server.ts';
export { OidcTokenValidator, type OidcTokenValidatorOptions } from './gateway/oidc-token-validator.ts';
export { protect } from './gateway/protect.ts';
export type {
  BackendAccess,
  Caller,
  ProtectedCall,
  ProtectedHandler,
  ProtectOptions,
  ProtectOptionsWithoutClient,
  RequestPlatform,
} from './gateway/protect-options.ts';
export type { ReverseProxyOptions } from './gateway/proxy/proxy-options.ts';
export { type ProxyClient, type ReverseProxy, reverseProxy } from './gateway/proxy/reverse-proxy.ts';
export { type StaticToken, staticTokenValidator } from './gateway/static-token-validator.ts';
export {
  type BackendToken,
  isTokenRejected,
  isValidatorUnavailable,
  TokenRejected,
  type TokenValidator,
  type Unavailability,
  type ValidatedToken,
  type ValidationContext,
  ValidatorUnavailable,
} from './gateway/token-validator.ts';
export { type TokenValidatorFactory, validatorFromFactory } from './gateway/validator-factory.ts';
