/** From a client identifier to what authenticates it at the token endpoint of one issuer (TOK-01, ISS-01). */
import type { AuthorizationServer } from '../../machines/contracts.ts';
import type { PreregisteredClient } from '../options.ts';
import { chooseAuthMethod } from '../protocol/client-authentication.ts';
import type { TokenClient } from '../protocol/code-exchange.ts';
import type { TokenEndpointAuthMethod } from '../protocol/documents.ts';
import type { Environment } from './environment.ts';
import { isSameIssuer } from './issuer-policy.ts';

/** The pre-registered client of this issuer; one without issuer belongs to the first it was used with. */
export function preregisteredFor({ settings }: Environment, issuer: string): PreregisteredClient | undefined {
  return (
    settings.preregistered.find((client) => client.issuer !== undefined && isSameIssuer(settings, client.issuer, issuer)) ??
    settings.preregistered.find((client) => client.issuer === undefined)
  );
}

export function preregisteredAuthMethod(client: PreregisteredClient, server: TokenServer): TokenEndpointAuthMethod {
  return chooseAuthMethod({
    hasSecret: client.client_secret !== undefined,
    hasPrivateKey: client.privateKey !== undefined,
    ...(client.token_endpoint_auth_method && { configured: client.token_endpoint_auth_method }),
    ...(server.metadata.token_endpoint_auth_methods_supported && {
      supported: server.metadata.token_endpoint_auth_methods_supported,
    }),
  });
}

/** What of an authorization server a token request needs. */
export type TokenServer = Pick<AuthorizationServer, 'issuer' | 'metadata'>;

/** The client with its secret, or `undefined` if this issuer's records do not hold it. */
export async function clientCredentials(
  environment: Environment,
  server: TokenServer,
  { clientId, publicClient = false }: { readonly clientId: string; readonly publicClient?: boolean },
): Promise<TokenClient | undefined> {
  const { settings, registrations } = environment;
  const authenticate = settings.authenticateClient && { authenticate: settings.authenticateClient };
  const preregistered = preregisteredFor(environment, server.issuer);
  if (preregistered?.client_id === clientId) {
    return {
      clientId,
      authMethod: preregisteredAuthMethod(preregistered, server),
      ...(preregistered.client_secret !== undefined && { clientSecret: preregistered.client_secret }),
      ...(preregistered.privateKey !== undefined && { privateKey: preregistered.privateKey }),
      ...authenticate,
    };
  }
  if (settings.clientMetadataUrl === clientId) return { clientId, authMethod: 'none', ...authenticate };
  const stored = await registrations.find(server.issuer, settings.clientMetadata.redirect_uris);
  if (stored?.facts.clientId !== clientId) {
    // Registered anew meanwhile, for other scopes: what was issued before is as good as it was.
    if (publicClient) return { clientId, authMethod: 'none', ...authenticate };
    const former = await registrations.findFormer(server.issuer, settings.clientMetadata.redirect_uris, clientId);
    return former && { ...former, ...authenticate };
  }
  return {
    clientId,
    authMethod: stored.facts.authMethod,
    ...(stored.clientSecret !== undefined && { clientSecret: stored.clientSecret }),
    ...authenticate,
  };
}
