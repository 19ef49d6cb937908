/** The configuration as the options of the gateway's parts. */
import type { Clock } from '../../clock.ts';
import type { GatewayOptions } from '../../gateway/oauth/gateway-options.ts';
import type { OidcTokenValidatorOptions } from '../../gateway/oidc-token-validator.ts';
import type { ReverseProxyOptions } from '../../gateway/proxy/proxy-options.ts';
import type { TokenValidator } from '../../gateway/token-validator.ts';
import type { LogRecord } from '../../options.ts';
import type { Store } from '../../stores/contract.ts';
import type { BackendConfiguration, GatewayConfiguration } from './configuration.ts';

export interface Surroundings {
  readonly clock?: Clock;
  readonly logger?: (record: LogRecord) => void;
  readonly store?: Store;
  /** For `upstream` tokens. */
  readonly validator?: TokenValidator;
}

export function gatewayOptions(
  { resource, name, issuer, scopes, signIn, keys }: GatewayConfiguration,
  { clock, logger, store, validator }: Surroundings = {},
): GatewayOptions {
  return withoutUndefined({
    resource: resource === '' ? undefined : resource,
    name,
    issuer: signIn?.gatewayIssuer,
    upstream: withoutUndefined({
      issuer,
      endpoints: signIn?.endpoints,
      clientId: signIn?.clientId,
      clientSecret: signIn?.clientSecret,
      clientKey: signIn?.clientKey,
      scopes: signIn?.scopes,
      resource: signIn?.resource,
    }),
    scopes,
    defaultScope: signIn?.defaultScope,
    tokens: withoutUndefined({
      format: signIn?.format,
      validator,
      signingKeys: signIn?.format === 'jwt' ? keys?.signingKeys : undefined,
    }),
    store,
    sealingKeys: keys?.sealingKeys,
    limits: signIn?.maxRedirectUris === undefined ? undefined : { redirectUris: signIn.maxRedirectUris },
    clientAddressHeader: signIn?.clientAddressHeader,
    clock,
    logger,
  }) as unknown as GatewayOptions;
}

export function oidcOptions(
  { issuer = '', tokens }: Pick<GatewayConfiguration, 'issuer' | 'tokens'>,
  { clock, logger }: Pick<Surroundings, 'clock' | 'logger'>,
): OidcTokenValidatorOptions {
  const { audience, algorithms, leewaySeconds } = tokens;
  return withoutUndefined({ issuer, audience, algorithms, leewaySeconds, clock, logger }) as unknown as OidcTokenValidatorOptions;
}

export function proxyOptions(
  { resource, keys }: GatewayConfiguration,
  backend: Extract<BackendConfiguration, { readonly kind: 'http' }>,
): ReverseProxyOptions {
  return {
    resource,
    backend: backend.url,
    backendToken: backend.token,
    // Said by `--allow-plain-backend`, or it would not have come so far.
    tokenInClear: true,
    ...(backend.timeoutSeconds !== undefined && { requestTimeoutMs: backend.timeoutSeconds * 1000 }),
    ...(keys !== undefined && { sessionKey: keys.sessionKey }),
  };
}

function withoutUndefined(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
