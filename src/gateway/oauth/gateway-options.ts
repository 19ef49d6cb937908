/** What the embedder of a gateway may say. */
import type { Clock } from '../../clock.ts';
import type { FetchLike, Inspector, LogRecord, ServerUrlExceptions } from '../../options.ts';
import type { TokenEndpointAuthMethod } from '../../protocol/documents.ts';
import type { Store } from '../../stores/contract.ts';
import type { SealingKeys } from '../../stores/sealing-keys.ts';
import type { TokenValidator } from '../token-validator.ts';

export interface GatewayOptions {
  /** The URL of the MCP server as clients know it: the audience of every access token. Never taken from a request. */
  readonly resource: string | URL;
  /**
   * The gateway's own issuer identifier; its endpoints are below it, at `/oauth/…`. Default: the origin of `resource`.
   *
   * `http` on a loopback address is for development: the cookie that binds a sign-in to its browser is then neither
   * `Secure` nor `__Host-`, which Safari refuses there, and every server on any port of that host can see it.
   */
  readonly issuer?: string;
  /** The identity provider people sign in at. */
  readonly upstream: UpstreamOptions;
  /** Every scope a client may ask for. Default: any. */
  readonly scopes?: readonly string[];
  /** For clients that name no scope, as OAuth writes them or as a list. Default: all of `scopes`. */
  readonly defaultScope?: string | readonly string[];
  /** Name of the resource on the consent page. Default: its host. */
  readonly name?: string;
  /** What clients get, and for how long. Default: JWTs for 15 minutes, refresh tokens for 30 days. */
  readonly tokens?: GatewayTokenOptions;
  /** Where sign-ins are kept, shared by all replicas; tokens in it are sealed with `sealingKeys`. Default: the memory of this process. */
  readonly store?: Store;
  /** Seal upstream tokens, refresh tokens and opaque access tokens; needed with `store`. Default: a key of this process. */
  readonly sealingKeys?: SealingKeys;
  /**
   * Where client ID metadata documents may be read from. `false`: such client identifiers are not accepted. Default:
   * public addresses only.
   */
  readonly clientMetadataDocuments?: false | ServerUrlExceptions;
  /**
   * The request header in which the one proxy before the gateway tells the client address, such as `X-Real-IP`; of a
   * list the last entry counts. Only where that proxy sets it in every request: otherwise callers choose whom they are.
   * Default: the address of the connection (`clientAddress` of the platform), if the adapter tells it.
   */
  readonly clientAddressHeader?: string;
  /** Words and looks of the consent page. Default: ours, in nine languages. */
  readonly consent?: ConsentOptions;
  /** Times, sizes and counts. Default: each its own. */
  readonly limits?: Partial<GatewayLimits>;
  /** Used for every request upstream and for client ID metadata documents. Default: the platform's. */
  readonly fetch?: FetchLike;
  /** Tells the time, and waits. Default: the system's clock. */
  readonly clock?: Clock;
  /** Called with what happens; it gets no secret. Default: nothing is logged. */
  readonly logger?: (record: LogRecord) => void;
  /**
   * An XState inspector of every transaction. Each request runs the chart anew from its checkpoint, as an actor of its
   * own; `context.id` says which events belong together. What it sees is free of secrets. Default: none.
   */
  readonly inspect?: Inspector;
}

export interface UpstreamOptions {
  /**
   * Its issuer identifier. Its metadata is discovered, and `iss` of its responses (RFC 9207) and ID tokens compared with it.
   * Left out, `endpoints` have to be named, and who signs in is not known: nothing says whose ID tokens to believe.
   */
  readonly issuer?: string;
  /** Used in place of those in its metadata, or alone where there is none: nothing is revoked there then. Default: what the metadata names. */
  readonly endpoints?: {
    readonly authorization: string;
    readonly token: string;
    readonly revocation?: string;
  };
  /** The gateway's client identifier there. */
  readonly clientId: string;
  /** Its secret. Left out: a public client, or one with a `clientKey`. */
  readonly clientSecret?: string;
  /** How the gateway authenticates there. Default: what the metadata offers, the strongest first. */
  readonly authMethod?: TokenEndpointAuthMethod;
  /** The gateway's private key as JWK with `alg` and `kid`, for `private_key_jwt` (RFC 7523): signs in place of a secret. Default: none. */
  readonly clientKey?: SigningKey;
  /** Asked for in every case, in addition to those of the client. Default: `openid` and `offline_access` with an `issuer`, else none. */
  readonly scopes?: readonly string[];
  /** Sent as `resource` (RFC 8707) where the identity provider wants one. Default: none is sent. */
  readonly resource?: string;
  /** Further parameters of the authorization request, such as `audience` or `prompt`; none of those that the gateway sets. Default: none. */
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface GatewayTokenOptions {
  /**
   * `jwt`: signed JWT access tokens (RFC 9068). `opaque`: sealed ones, which nobody but the gateway can read. Both are
   * bound to `resource`, and upstream tokens stay here. Default `jwt`.
   *
   * `upstream` passes the access tokens of the identity provider through. It gives up what the gateway is for: a client
   * holds a token that works wherever the identity provider's tokens do, the audience is whatever that provider puts in,
   * and nothing that is revoked here stops a token that is out. Refresh tokens still stay here.
   */
  readonly format?: 'jwt' | 'opaque' | 'upstream';
  /** For `upstream`, and needed there: knows the identity provider's tokens, such as an `OidcTokenValidator`. Default: none. */
  readonly validator?: TokenValidator;
  /**
   * Private keys as JWK with `alg` and `kid`, for `jwt`: the first signs, all of them are published and accepted.
   * Needed with `store`. Default: an ES256 key of this process.
   */
  readonly signingKeys?: readonly SigningKey[];
  /** Longest life of an access token. Default 900 (15 minutes). */
  readonly accessTokenSeconds?: number;
  /** A grant that nobody has refreshed for this long ends. Default 2,592,000 (30 days). */
  readonly refreshTokenSeconds?: number;
  /** The refresh token before the newest may be retried this long: the answer may have been lost. Default 30. */
  readonly refreshGraceSeconds?: number;
}

/** A private key as JWK (RFC 7517), asymmetric, with its identifier and algorithm. */
export type SigningKey = JsonWebKey & { readonly kid: string; readonly alg: string };

export interface ConsentOptions {
  /** The words, by language tag. Default: ours of that language, else English, also for single texts. */
  readonly texts?: Readonly<Record<string, Partial<ConsentTexts>>>;
  /** CSS custom properties of the page by name, such as `--accent`. Default: ours. */
  readonly style?: Readonly<Record<`--${string}`, string>>;
}

/** What the consent page says; `{client}`, `{resource}` and `{host}` are filled in. */
export interface ConsentTexts {
  readonly title: string;
  readonly asks: string;
  readonly scopes: string;
  readonly noScopes: string;
  /** Stands for the scope `offline_access` in the list. */
  readonly offlineAccess: string;
  readonly sentTo: string;
  readonly loopback: string;
  readonly unverified: string;
  readonly allow: string;
  readonly refuse: string;
  readonly problem: string;
  readonly startAgain: string;
  /** A link that takes the person, and what is wrong, back to the client. */
  readonly back: string;
  /** Beside that link. */
  readonly backUnchecked: string;
}

export interface GatewayLimits {
  /** A request to the gateway's own endpoints, URL or body. Real ones are under 8 kB. */
  readonly requestBytes: number;
  /** Registered clients at any time, in all replicas together. */
  readonly registrations: number;
  /** New registrations in one minute, in this process. */
  readonly registrationsPerMinute: number;
  /** The same from one client address, where it is known: an IPv4 address, or the /64 of an IPv6 address. */
  readonly registrationsPerMinutePerAddress: number;
  /** A registration that nobody has used for this long is forgotten. */
  readonly registrationSeconds: number;
  /** Redirect URIs of one client. */
  readonly redirectUris: number;
  /** Transactions under way at any time, in all replicas together. */
  readonly transactions: number;
  /** Authorization requests of one client address in one minute, in this process. */
  readonly authorizationsPerMinutePerAddress: number;
  /** Sign-ins of one client address that have begun and not ended, in this process. An office may have one address. */
  readonly transactionsPerAddress: number;
  /** From the client's request to the end of consent and upstream sign-in. */
  readonly transactionSeconds: number;
  /** How long the client may take to redeem its code. */
  readonly codeSeconds: number;
  /** One request to the upstream identity provider or for a client ID metadata document. */
  readonly upstreamTimeoutMs: number;
}

/** A name for the person and a refresh token: what an identity provider gives only when it is asked. */
export const defaultUpstreamScopes = ({ issuer }: Pick<UpstreamOptions, 'issuer'>): readonly string[] =>
  // Scopes of OpenID Connect: a provider of OAuth alone may refuse what it does not know.
  issuer === undefined ? [] : ['openid', 'offline_access'];

const DAY_SECONDS = 86_400;

export const DEFAULT_GATEWAY_LIMITS: GatewayLimits = {
  requestBytes: 64 * 1024,
  registrations: 10_000,
  registrationsPerMinute: 300,
  registrationsPerMinutePerAddress: 60,
  registrationSeconds: 30 * DAY_SECONDS,
  redirectUris: 10,
  transactions: 10_000,
  authorizationsPerMinutePerAddress: 120,
  transactionsPerAddress: 200,
  transactionSeconds: 300,
  codeSeconds: 60,
  upstreamTimeoutMs: 10_000,
};

export const DEFAULT_TOKEN_SECONDS = { access: 900, refresh: 30 * DAY_SECONDS, grace: 30 } as const;
