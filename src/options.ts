/** What an embedder may say. Everything but `resource` has a default or is optional. */
import type { InspectionEvent, Observer } from 'xstate';
import type { Clock } from './clock.ts';
import type { Limits } from './limits.ts';
import type { ClientMetadata, ServerMetadata, TokenEndpointAuthMethod } from './protocol/documents.ts';
import type { Store } from './stores/contract.ts';
import type { UserAgent } from './user-agents/contract.ts';

export type FetchLike = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Credentials agreed with one authorization server beforehand; never shown to another (ISS-07). */
export interface PreregisteredClient {
  /**
   * The issuer identifier these credentials belong to. Left out, they belong to
   * the first issuer the resource leads to, which is then remembered.
   */
  readonly issuer?: string;
  readonly client_id: string;
  readonly client_secret?: string;
  readonly token_endpoint_auth_method?: TokenEndpointAuthMethod;
  /** For `private_key_jwt`: a CryptoKey that signs. */
  readonly privateKey?: CryptoKey | { readonly key: CryptoKey; readonly kid?: string };
}

/** Exceptions for one authorization server, each off unless named here. */
export interface IssuerPolicy {
  /** Accept an issuer that differs by the trailing slash of a path-less issuer (ASM-03). */
  readonly tolerateTrailingSlash?: boolean;
  /** Proceed although `code_challenge_methods_supported` is absent; PKCE is sent all the same (ASM-05). */
  readonly assumePkce?: boolean;
  /** `false`: leave `resource` out; a string: send exactly that (AUT-02). */
  readonly resourceParameter?: false | string;
  /** Scopes of the authorization server metadata count when nothing more specific names any (SCO-01). */
  readonly useServerScopes?: boolean;
}

/** Signs or adds what authenticates the client at the token endpoint (TOK-01). */
export type ClientAuthenticator = (request: {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly body: URLSearchParams;
  readonly headers: Headers;
}) => void | Promise<void>;

/** One structured record; it holds no secret, no query and no server text beyond TOK-04. */
export interface LogRecord {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: string;
  readonly atEpochMs: number;
  readonly [detail: string]: unknown;
}

export type UrlPurpose = 'resource-metadata' | 'server-metadata' | 'registration' | 'token' | 'revocation' | 'authorization';

/**
 * `standard`: nothing closer to this machine than the resource, by what its URL says:
 * a server on the internet may not name loopback, link-local or private addresses
 * or names, nor the metadata service of a cloud. Private ones are used, too, where
 * the resource's own name leads to private addresses alone, as inside a company.
 *
 * `strict`: the same by what names resolve to, before each request, and the resource
 * counts as private only if its URL says so. For programs that run where others must
 * not reach. Where the platform does not resolve names (browsers, workers), what URLs
 * say has to do.
 */
export type ServerUrlRule = 'standard' | 'strict';

export interface ServerUrlExceptions {
  /** Default `standard`. */
  readonly rule?: ServerUrlRule;
  /** Asked about each URL that the rule refuses; `true` uses it all the same. Throwing is no. */
  readonly except?: (url: URL, purpose: UrlPurpose) => boolean | Promise<boolean>;
  /**
   * Every address of a name. Default: what the system says, on Node, Deno and Bun. `false` where a proxy resolves
   * names and this machine cannot: then what URLs say has to do.
   */
  readonly resolve?: false | ((hostname: string) => Promise<readonly string[]>);
}

/** What XState's `createActor` takes as `inspect`: a function, or an observer as the Stately inspector has it. */
export type Inspector = ((event: InspectionEvent) => void) | Observer<InspectionEvent>;

export interface AuthorizationClientOptions {
  /** The protected resource: the URL of the MCP server. */
  readonly resource: string | URL;
  /** Tells several identities for one resource apart (STO-04). Default `default`. */
  readonly account?: string;
  /** What the client says when it registers. Default: a native client with a loopback redirect. */
  readonly clientMetadata?: Partial<ClientMetadata>;
  /** The https URL of a hosted client ID metadata document. */
  readonly clientMetadataUrl?: string;
  readonly preregistered?: readonly PreregisteredClient[];
  readonly authenticateClient?: ClientAuthenticator;
  /** Where records and secrets are kept. Default: memory of this process. */
  readonly store?: Store;
  /** A separate place for secrets. Default: the store. */
  readonly vault?: Store;
  /** How the user is brought to the authorization page. Default: only `status` shows the URL; call `completeAuthorization`. */
  readonly userAgent?: UserAgent;
  /** Asked for instead of what challenges and metadata name (SCO-01). */
  readonly scope?: string | readonly string[];
  /** Ask for a refresh token where it can be had. Default true. */
  readonly offlineAccess?: boolean;
  /**
   * Refuse callbacks without `iss`, also from authorization servers that do not promise it: the only defence against a
   * resource that names an honest server's page beside a token endpoint of its own (RFC 9207). Default false, as MCP has it.
   */
  readonly requireCallbackIssuer?: boolean;
  /** Added to every authorization request; reserved parameters are refused at creation (AUT-01). */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /** Attach the access token to the whole origin of the resource, or only inside its path. Default `origin` (FET-02). */
  readonly attachTo?: 'origin' | 'path';
  /** Chooses among several authorization servers (PRM-04). */
  readonly chooseAuthorizationServer?: (issuers: readonly string[]) => string | Promise<string>;
  /** Replaces the rule of PRM-03. True: the document is for this resource. */
  readonly validateResource?: (documentResource: string, resource: string) => boolean | Promise<boolean>;
  /** Asked before a step-up disturbs the user; false hands the 403 back (SCO-06). */
  readonly confirmStepUp?: (request: {
    readonly requested: readonly string[];
    readonly missing: readonly string[];
  }) => boolean | Promise<boolean>;
  /** Exceptions by issuer identifier. */
  readonly issuers?: Readonly<Record<string, IssuerPolicy>>;
  /**
   * Where servers may send the flow: metadata, endpoints, the authorization page (SEC-03). The origins that these options
   * name are always fine: of the resource, of issuers, of endpoints in `serverMetadata`. Default `standard`, on a host
   * `strict`. What is refused fails with `url_refused_by_policy`.
   */
  readonly serverUrls?: ServerUrlRule | ServerUrlExceptions;
  /** May a URL that `serverUrls` lets pass be used, too? Asked before each use; throwing or returning false refuses it (SEC-03). */
  readonly allowUrl?: (url: URL, purpose: UrlPurpose) => boolean | Promise<boolean>;
  /** Metadata of an authorization server that publishes none; keyed by issuer. */
  readonly serverMetadata?: Readonly<Record<string, ServerMetadata>>;
  /** Sent as `MCP-Protocol-Version` on discovery. Default: the newest revision authchart knows. */
  readonly protocolVersion?: string;
  /** Used for every request, to the resource and to the authorization server (SEC-07). Default: the platform's. */
  readonly fetch?: FetchLike;
  readonly clock?: Clock;
  /** Fills the array with random bytes. Default: Web Crypto. For tests only. */
  readonly random?: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  readonly limits?: Partial<Limits>;
  readonly logger?: (record: LogRecord) => void;
  /** An XState inspector; what it sees is free of secrets (OBS-04). */
  readonly inspect?: Inspector;
}
