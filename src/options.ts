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
  /** The client identifier. */
  readonly client_id: string;
  /** Its secret. Left out: a public client, or one with a `privateKey`. */
  readonly client_secret?: string;
  /** How it authenticates at the token endpoint. Default: the strongest that both sides can do. */
  readonly token_endpoint_auth_method?: TokenEndpointAuthMethod;
  /** For `private_key_jwt`: a CryptoKey that signs. Default: none. */
  readonly privateKey?: CryptoKey | { readonly key: CryptoKey; readonly kid?: string };
}

/** Exceptions for one authorization server, each off unless named here. */
export interface IssuerPolicy {
  /** Accept an issuer that differs by the trailing slash of a path-less issuer (ASM-03). Default false. */
  readonly tolerateTrailingSlash?: boolean;
  /** Proceed although `code_challenge_methods_supported` is absent; PKCE is sent all the same (ASM-05). Default false. */
  readonly assumePkce?: boolean;
  /** What is sent as `resource`: `false` leaves it out; a string is sent as it is (AUT-02). Default: the resource identifier. */
  readonly resourceParameter?: false | string;
  /** Scopes of the authorization server metadata count when nothing more specific names any (SCO-01). Default false. */
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

/** One structured record; it holds no secret and no query, and text of servers only bounded and without control characters (TOK-04). */
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
  /** The rule that has exceptions. Default: the one that holds without them, `standard`, or on a host `strict`. */
  readonly rule?: ServerUrlRule;
  /** Asked about each URL that the rule refuses; `true` uses it all the same. Throwing is no. Default: no exceptions. */
  readonly except?: (url: URL, purpose: UrlPurpose) => boolean | Promise<boolean>;
  /**
   * Says every address of a name. `false` where a proxy resolves names and this machine cannot: then what URLs say has
   * to do. Default: the system, on Node, Deno and Bun.
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
  /**
   * What the client says when it registers. Default: a native client with the redirect URI `http://127.0.0.1/callback`; without
   * a `userAgent` there is no default for `redirect_uris`.
   */
  readonly clientMetadata?: Partial<ClientMetadata>;
  /**
   * The https URL of a hosted client ID metadata document: the client identifier wherever the authorization server
   * takes such documents. Default: none.
   */
  readonly clientMetadataUrl?: string;
  /** Client identifiers agreed with authorization servers beforehand. Default: none; the client registers itself. */
  readonly preregistered?: readonly PreregisteredClient[];
  /** Authenticates the client at the token endpoint in place of authchart. Default: by secret or key, as registered. */
  readonly authenticateClient?: ClientAuthenticator;
  /** Where records and secrets are kept. Default: memory of this process. */
  readonly store?: Store;
  /** A separate place for secrets. Default: the store. */
  readonly vault?: Store;
  /**
   * How the user is brought to the authorization page, and back. Default: `status` shows the URL, and nothing else
   * happens until `completeAuthorization` is called; `clientMetadata.redirect_uris` has to say where the user comes back to.
   */
  readonly userAgent?: UserAgent;
  /**
   * Asked for instead of what challenges and metadata name (SCO-01). Default: the scopes of the challenge, else of the
   * resource's metadata, else of `clientMetadata`; where none names any, the authorization server decides.
   */
  readonly scope?: string | readonly string[];
  /** Ask for a refresh token where it can be had. Default true. */
  readonly offlineAccess?: boolean;
  /**
   * Refuse callbacks without `iss`, also from authorization servers that do not promise it: the only defence against a
   * resource that names an honest server's page beside a token endpoint of its own (RFC 9207). Default false, as MCP has it.
   */
  readonly requireCallbackIssuer?: boolean;
  /** Added to every authorization request; reserved parameters are refused at creation (AUT-01). Default: none. */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /** Attach the access token to the whole origin of the resource, or only inside its path. Default `origin` (FET-02). */
  readonly attachTo?: 'origin' | 'path';
  /**
   * Chooses among several authorization servers (PRM-04). Default: the one the account has signed in at, else the first
   * that is usable.
   */
  readonly chooseAuthorizationServer?: (issuers: readonly string[]) => string | Promise<string>;
  /**
   * Decides whether a metadata document is for this resource (PRM-03). Default: it must name the same origin, and the
   * path of the resource or one above it.
   */
  readonly validateResource?: (documentResource: string, resource: string) => boolean | Promise<boolean>;
  /** Asked before a step-up disturbs the user; false hands the 403 back (SCO-06). Default: the user is asked at once. */
  readonly confirmStepUp?: (request: {
    readonly requested: readonly string[];
    readonly missing: readonly string[];
  }) => boolean | Promise<boolean>;
  /** Exceptions from the rules, by issuer identifier. Default: none. */
  readonly issuers?: Readonly<Record<string, IssuerPolicy>>;
  /**
   * Where servers may send the flow: metadata, endpoints, the authorization page (SEC-03). The origins that these options
   * name are always fine: of the resource, of issuers, of endpoints in `serverMetadata`. Default `standard`, on a host
   * `strict`. What is refused fails with `url_refused_by_policy`.
   */
  readonly serverUrls?: ServerUrlRule | ServerUrlExceptions;
  /**
   * May a URL that `serverUrls` lets pass be used, too? Asked before each use; throwing or returning false refuses it
   * (SEC-03). Default: yes.
   */
  readonly allowUrl?: (url: URL, purpose: UrlPurpose) => boolean | Promise<boolean>;
  /** Metadata of authorization servers that publish none, by issuer. Default: what they publish. */
  readonly serverMetadata?: Readonly<Record<string, ServerMetadata>>;
  /** Sent as `MCP-Protocol-Version` on discovery. Default: the newest revision authchart knows. */
  readonly protocolVersion?: string;
  /** Used for every request, to the resource and to the authorization server (SEC-07). Default: the platform's. */
  readonly fetch?: FetchLike;
  /** Tells the time, and waits. Default: the system's clock. */
  readonly clock?: Clock;
  /** Fills the array with random bytes; for tests only. Default: Web Crypto. */
  readonly random?: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  /** Times, sizes and counts. Default: each its own. */
  readonly limits?: Partial<Limits>;
  /** Called with what happens. Default: nothing is logged. */
  readonly logger?: (record: LogRecord) => void;
  /** An XState inspector; what it sees is free of secrets (OBS-04). Default: none. */
  readonly inspect?: Inspector;
}
