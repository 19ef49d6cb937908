/** `authchart/gateway`: the login in front of an MCP server that has none. Runs without Node. */
export { OidcTokenValidator, type OidcTokenValidatorOptions } from './gateway/oidc-token-validator.ts';
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
