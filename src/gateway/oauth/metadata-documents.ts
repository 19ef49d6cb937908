/**
 * What clients discover the gateway by: protected resource metadata (RFC 9728) and
 * authorization server metadata (RFC 8414), each at the root and with the path of
 * what it is about inserted, the latter also under its OpenID Connect name (GWY-02).
 *
 * Made of the configuration alone: a Host or forwarded header changes nothing.
 */
import type { GatewaySettings } from './gateway-settings.ts';
import { SIGNING_ALGORITHMS } from './option-problems.ts';

export interface Endpoints {
  readonly authorize: string;
  readonly consent: string;
  readonly callback: string;
  readonly token: string;
  readonly register: string;
  readonly revoke: string;
  readonly jwks: string;
  readonly health: string;
}

/** URLs of the gateway's endpoints, below its issuer. */
export function endpointsOf(issuer: string): Endpoints {
  const at = (name: string): string => `${issuer.replace(/\/$/, '')}/oauth/${name}`;
  return {
    authorize: at('authorize'),
    consent: at('consent'),
    callback: at('callback'),
    token: at('token'),
    register: at('register'),
    revoke: at('revoke'),
    jwks: at('jwks'),
    health: at('health'),
  };
}

type Known = Pick<GatewaySettings, 'resource' | 'issuer' | 'scopes' | 'name' | 'format' | 'clientMetadataDocuments'>;

export interface ResourceFacts {
  /** Canonical. */
  readonly resource: string;
  readonly authorizationServers: readonly string[];
  readonly scopes: readonly string[] | undefined;
  readonly name: string;
}

export function resourceDocument({ resource, authorizationServers, scopes, name }: ResourceFacts): object {
  return {
    resource,
    authorization_servers: authorizationServers,
    ...(scopes && { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    resource_name: name,
  };
}

export function serverDocument({ issuer, scopes, format, clientMetadataDocuments }: Known, signingAlgorithms: readonly string[]): object {
  const endpoints = endpointsOf(issuer);
  const hasDocuments = clientMetadataDocuments !== false;
  const authMethods = ['none', 'client_secret_basic', 'client_secret_post', ...(hasDocuments ? ['private_key_jwt'] : [])];
  return {
    issuer,
    authorization_endpoint: endpoints.authorize,
    token_endpoint: endpoints.token,
    registration_endpoint: endpoints.register,
    revocation_endpoint: endpoints.revoke,
    ...(format === 'jwt' && { jwks_uri: endpoints.jwks }),
    ...(scopes && { scopes_supported: scopes }),
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: authMethods,
    revocation_endpoint_auth_methods_supported: authMethods,
    ...(hasDocuments && {
      token_endpoint_auth_signing_alg_values_supported: SIGNING_ALGORITHMS,
      revocation_endpoint_auth_signing_alg_values_supported: SIGNING_ALGORITHMS,
    }),
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: hasDocuments,
    // Clients that read the document as OpenID Connect refuse one without these; no ID token is ever issued.
    ...(format === 'jwt' && { subject_types_supported: ['public'], id_token_signing_alg_values_supported: signingAlgorithms }),
  };
}

/** Where protected resource metadata is. */
export function resourceDocumentPaths(resource: string): readonly string[] {
  return unique(['', pathOf(resource)].map((path) => `/.well-known/oauth-protected-resource${path}`));
}

/** Paths of the two documents. */
export function documentPaths({ resource, issuer }: Pick<Known, 'resource' | 'issuer'>): {
  readonly resource: readonly string[];
  readonly server: readonly string[];
} {
  const resourcePath = pathOf(resource);
  const issuerPath = pathOf(issuer);
  const names = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];
  return {
    resource: resourceDocumentPaths(resource),
    // Clients of the revision 2025-03-26 insert the path of the resource.
    server: unique([
      ...names.flatMap((name) => ['', issuerPath, resourcePath].map((path) => name + path)),
      `${issuerPath}/.well-known/openid-configuration`,
    ]),
  };
}

const pathOf = (url: string): string => new URL(url).pathname.replace(/\/$/, '');
const unique = (paths: readonly string[]): readonly string[] => [...new Set(paths)];
