/**
 * The facts authchart keeps of what servers publish: plain JSON, only the fields
 * the flow uses, so that a parked flow stays small.
 */

/** Protected resource metadata, RFC 9728 section 2. */
export interface ResourceMetadata {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly scopes_supported?: readonly string[];
}

/** Authorization server metadata, RFC 8414 section 2 and OpenID Connect Discovery. */
export interface ServerMetadata {
  readonly issuer: string;
  readonly authorization_endpoint?: string;
  readonly token_endpoint?: string;
  readonly registration_endpoint?: string;
  readonly revocation_endpoint?: string;
  readonly pushed_authorization_request_endpoint?: string;
  readonly device_authorization_endpoint?: string;
  readonly require_pushed_authorization_requests?: boolean;
  readonly scopes_supported?: readonly string[];
  readonly grant_types_supported?: readonly string[];
  readonly code_challenge_methods_supported?: readonly string[];
  readonly token_endpoint_auth_methods_supported?: readonly string[];
  readonly token_endpoint_auth_signing_alg_values_supported?: readonly string[];
  readonly authorization_response_iss_parameter_supported?: boolean;
  readonly client_id_metadata_document_supported?: boolean;
}

/** One look at one URL, kept for the diagnosis (OBS-05). Never holds a query or a body. */
export interface Probe {
  readonly document: 'resource-metadata' | 'server-metadata' | 'resource';
  readonly url: string;
  readonly status?: number;
  readonly durationMs: number;
  /** `refused`: by the policy for URLs that servers name; nothing was sent there. */
  readonly verdict: 'found' | 'absent' | 'invalid' | 'unavailable' | 'cached' | 'refused';
  /** Why it is not usable, or what is odd about it; in words of ours, server text sanitised. */
  readonly reason?: string;
}

/** A candidate that is not there is an answer, not an error: the flow goes to the next. */
export type Looked<Document> =
  | {
      readonly outcome: 'found';
      readonly document: Document;
      readonly probe: Probe;
      readonly maxAgeSeconds?: number;
      readonly etag?: string;
    }
  | { readonly outcome: 'absent'; readonly probe: Probe };

/** How the client authenticates at the token endpoint, RFC 7591 section 2. */
export type TokenEndpointAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';

/** Where a client identifier came from. */
export type ClientSource = 'preregistered' | 'stored' | 'metadata-document' | 'dynamic' | 'provided';

/** What a client may say about itself, RFC 7591 section 2. */
export interface ClientMetadata {
  readonly client_name?: string;
  readonly client_uri?: string;
  readonly logo_uri?: string;
  readonly redirect_uris: readonly string[];
  readonly scope?: string;
  readonly contacts?: readonly string[];
  readonly tos_uri?: string;
  readonly policy_uri?: string;
  readonly software_id?: string;
  readonly software_version?: string;
  readonly grant_types?: readonly string[];
  readonly response_types?: readonly string[];
  readonly application_type?: 'native' | 'web';
  readonly token_endpoint_auth_method?: TokenEndpointAuthMethod;
  readonly jwks_uri?: string;
  readonly jwks?: { readonly keys: readonly Record<string, unknown>[] };
}

/** What the challenge of a 401 or 403 says, CHA-02. */
export interface ChallengeFacts {
  readonly scheme?: 'Bearer' | 'DPoP';
  readonly resourceMetadataUrl?: string;
  /** Scope tokens in the order given. */
  readonly scopes?: readonly string[];
  readonly error?: string;
  readonly errorDescription?: string;
}

/** Tokens as the token endpoint gave them, after normalisation. Secret: never in context, events or logs. */
export interface IssuedTokens {
  readonly accessToken: string;
  readonly tokenType: 'Bearer' | 'DPoP';
  readonly refreshToken?: string;
  /** Scope tokens as answered; absent when the server left `scope` out (SCO-03). */
  readonly scopes?: readonly string[];
  readonly expiresInSeconds?: number;
}
