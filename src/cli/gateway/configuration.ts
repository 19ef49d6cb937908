/** What `authchart gateway` was told, whole and checked. */
import type { SigningKey } from '../../gateway/oauth/gateway-options.ts';
import type { StaticToken } from '../../gateway/static-token-validator.ts';
import type { GatewayKeys } from './keys-file.ts';
import type { ListenAddress } from './listen-address.ts';

export type BackendTokenMode = 'none' | 'upstream';
export type TokenFormat = 'jwt' | 'opaque' | 'upstream';

export type BackendConfiguration =
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly token: BackendTokenMode;
      /** To the headers of an answer. `undefined`: as the proxy has it. */
      readonly timeoutSeconds: number | undefined;
    }
  | { readonly kind: 'stdio'; readonly command: readonly [string, ...string[]]; readonly env: readonly string[] };

/** The gateway is an authorization server of its own before the identity provider. */
export interface SignInConfiguration {
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** Private, as JWK: signs in place of the secret. */
  readonly clientKey: SigningKey | undefined;
  readonly endpoints: { readonly authorization: string; readonly token: string } | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly resource: string | undefined;
  readonly gatewayIssuer: string | undefined;
  readonly defaultScope: readonly string[] | undefined;
  readonly format: TokenFormat;
  readonly maxRedirectUris: number | undefined;
  /** In which a proxy before the gateway tells whose request it is. */
  readonly clientAddressHeader: string | undefined;
}

export interface GatewayConfiguration {
  readonly resource: string;
  readonly name: string | undefined;
  readonly listen: ListenAddress;
  readonly backend: BackendConfiguration;
  /** The identity provider; `undefined` where only its endpoints are named. */
  readonly issuer: string | undefined;
  /** `undefined`: MCP clients sign in at the identity provider itself. */
  readonly signIn: SignInConfiguration | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly requiredScopes: readonly string[];
  readonly tokens: {
    readonly audience: readonly string[] | undefined;
    readonly algorithms: readonly string[] | undefined;
    readonly leewaySeconds: number | undefined;
    /** `module:export` */
    readonly factory: string | undefined;
    /** What that setting is called where it came from. */
    readonly factoryLabel: string;
  };
  readonly staticTokens: readonly StaticToken[] | undefined;
  readonly allowAnonymous: boolean;
  readonly allowedOrigins: readonly string[] | undefined;
  /** URL of Redis or PostgreSQL; may hold a password. `undefined`: memory. */
  readonly store: string | undefined;
  readonly keys: GatewayKeys | undefined;
  /** What is allowed, and worth a word. */
  readonly warnings: readonly string[];
}
