/** The parts of a gateway, put together as the configuration says. */
import type { Clock } from '../../clock.ts';
import { anyOf } from '../../gateway/any-of.ts';
import { gatewayHandler } from '../../gateway/gateway-handler.ts';
import { gatewayLog } from '../../gateway/gateway-log.ts';
import { createGateway } from '../../gateway/oauth/create-gateway.ts';
import { endpointsOf } from '../../gateway/oauth/metadata-documents.ts';
import { type ResourceServer, resourceServer } from '../../gateway/oauth/resource-server.ts';
import { OidcTokenValidator } from '../../gateway/oidc-token-validator.ts';
import { protect } from '../../gateway/protect.ts';
import type { ProtectedHandler, ProtectOptions } from '../../gateway/protect-options.ts';
import { type ProxyClient, reverseProxy } from '../../gateway/proxy/reverse-proxy.ts';
import { staticTokenValidator } from '../../gateway/static-token-validator.ts';
import type { TokenValidator } from '../../gateway/token-validator.ts';
import { validatorFromFactory } from '../../gateway/validator-factory.ts';
import type { LogRecord } from '../../options.ts';
import type { Store } from '../../stores/contract.ts';
import type { GatewayConfiguration } from './configuration.ts';
import { gatewayOptions, oidcOptions, proxyOptions } from './part-options.ts';

export interface Assembled {
  readonly handler: ProtectedHandler;
  readonly callbackUrl: string | undefined;
  /** Ends what the gateway has of its own: processes, and connections to the backend. */
  close(): Promise<void>;
}

export interface AssemblyParts {
  readonly clock: Clock;
  readonly logger: (record: LogRecord) => void;
  readonly store: Store | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted when the gateway is told to end; what is under way goes on until it is closed. */
  readonly stopping: AbortSignal;
}

/** @throws AuthorizationError `invalid_configuration`, for what only making it shows */
export async function assemble(configuration: GatewayConfiguration, parts: AssemblyParts): Promise<Assembled> {
  const { resource, signIn, requiredScopes, allowAnonymous, allowedOrigins } = configuration;
  const { clock, logger } = parts;
  const { gateway, validator } = await authorityOf(configuration, parts);
  const { close, ...backend } = await backendOf(configuration, parts);
  const handler = protect<ProxyClient>({
    resource,
    validator,
    scopes: requiredScopes,
    ...backend,
    ...(allowAnonymous && { fallbackClient: { token: '' } }),
    clock,
    logger,
  });
  return {
    handler: gatewayHandler({ gateway, handler, ...(allowedOrigins !== undefined && { allowedOrigins: originsOf(allowedOrigins) }) }),
    callbackUrl: signIn === undefined ? undefined : endpointsOf(signIn.gatewayIssuer ?? new URL(resource).origin).callback,
    close,
  };
}

const originsOf = (origins: readonly string[]): '*' | readonly string[] => (origins.includes('*') ? '*' : origins);

interface Authority {
  readonly gateway: ResourceServer;
  readonly validator: TokenValidator;
}

async function authorityOf(configuration: GatewayConfiguration, { clock, logger, store }: AssemblyParts): Promise<Authority> {
  const { resource, name, issuer, scopes, signIn, tokens, staticTokens } = configuration;
  const around = { clock, logger, ...(store !== undefined && { store }) };
  const factory = tokens.factory === undefined ? undefined : await validatorFromFactory(tokens.factory);
  const more = staticTokens === undefined ? [] : [staticTokenValidator(staticTokens)];
  /** Knows the identity provider's own tokens. */
  const foreign = (): TokenValidator => factory ?? new OidcTokenValidator(oidcOptions(configuration, around));

  if (signIn === undefined) {
    const gateway = resourceServer({
      resource,
      authorizationServers: [issuer ?? ''],
      ...(scopes !== undefined && { scopes }),
      ...(name !== undefined && { name }),
    });
    return { gateway, validator: oneOf([foreign(), ...more]) };
  }
  const isUpstream = signIn.format === 'upstream';
  const gateway = createGateway(gatewayOptions(configuration, isUpstream ? { ...around, validator: foreign() } : around));
  return { gateway, validator: oneOf([gateway.validator, ...(factory !== undefined && !isUpstream ? [factory] : []), ...more]) };
}

function oneOf(validators: readonly TokenValidator[]): TokenValidator {
  const [only] = validators;
  return validators.length === 1 && only !== undefined ? only : anyOf(validators);
}

type Backend = Pick<ProtectOptions<ProxyClient>, 'createClient' | 'handler'> & Pick<Assembled, 'close'>;

async function backendOf(configuration: GatewayConfiguration, { clock, logger, environment, stopping }: AssemblyParts): Promise<Backend> {
  const { backend } = configuration;
  if (backend.kind === 'http') {
    const { backendFetch } = await import('./backend-fetch.ts');
    const { fetch, close } = backendFetch();
    return { ...reverseProxy({ ...proxyOptions(configuration, backend), fetch, clock, logger }), close };
  }
  const { stdioBackend } = await import('./stdio-backend.ts');
  const { stdioSession } = await import('./stdio-session.ts');
  const log = gatewayLog(logger, () => clock.now());
  const stdio = stdioBackend({ command: backend.command, passedOn: backend.env, environment, log, clock, stopping, begin: stdioSession });
  return {
    createClient: () => ({ token: '' }),
    handler: (request, call) => stdio.handle(request, call),
    close: () => stdio.close(),
  };
}
