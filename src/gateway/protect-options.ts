/** What `protect` is given, and what it gives to handlers. */
import type { Clock } from '../clock.ts';
import type { LogRecord } from '../options.ts';
import type { BackendToken, TokenValidator, ValidatedToken } from './token-validator.ts';

/** Who calls. The token itself is left out, so that a caller can be logged or handed around. */
export type Caller = Omit<ValidatedToken, 'token'>;

/** What a backend client is made from. */
export interface BackendAccess {
  /** The token for the backend: exchanged, or the caller's own where the validator exchanges nothing. */
  readonly token: BackendToken;
  /** Who calls. */
  readonly caller: Caller;
  /** What they ask. */
  readonly request: Request;
}

export interface ProtectedCall<Client> {
  /** What `createClient` made for this request. */
  readonly client: Client;
  /** Who calls; `undefined` for the fallback client: nobody proved anything. */
  readonly caller: Caller | undefined;
}

export interface ProtectOptions<Client> {
  /** The identifier of the protected resource: the public URL of the MCP server. Never taken from a request. */
  readonly resource: string | URL;
  /** Decides whether a token may be used, and what the backend gets for it. */
  readonly validator: TokenValidator;
  /** Scopes that every request needs. Default: none. */
  readonly scopes?: readonly string[];
  /**
   * Makes the client for one request. Every call must return a client of its own: an
   * object that was returned before is refused, since its user would act as another.
   * May throw `TokenRejected` (401), `ValidatorUnavailable` (503) and `InsufficientScope`
   * (403); anything else is answered with 502.
   */
  readonly createClient: (access: BackendAccess) => Client | Promise<Client>;
  /**
   * Closes a client, once, after the response is over. Default: its
   * `[Symbol.asyncDispose]`, `[Symbol.dispose]` or `close` method, the first it has.
   */
  readonly closeClient?: (client: Client) => unknown;
  /** Serves the request. May throw `InsufficientScope` for what this operation needs beyond `scopes`. */
  readonly handler: (request: Request, call: ProtectedCall<Client>) => Response | Promise<Response>;
  /**
   * The client for requests without any `Authorization` header. Such requests are
   * served without a login: everybody who reaches the endpoint acts as this client.
   * It is never closed here. Left out, they get 401.
   */
  readonly fallbackClient?: Client;
  /**
   * Web origins, beside the resource's own, whose pages may use the fallback client: a page anywhere could otherwise act
   * through the browser of somebody who reaches the endpoint. For the same reason a request without credentials needs a
   * `Host` that is the resource's, an address, or a name without dots (DNS rebinding); a proxy in front keeps the `Host`
   * it was asked for. All others get 403. Default: none.
   */
  readonly fallbackOrigins?: readonly string[];
  /** Where the protected resource metadata is. Default: the well-known URL of `resource` (RFC 9728 section 3.1). */
  readonly resourceMetadataUrl?: string;
  /** How long validation and exchange may take together, in milliseconds; then it is 503. Default 10,000. */
  readonly validationTimeoutMs?: number;
  /** Answers for what handler or `createClient` threw. Default: 500 or 502 without details. */
  readonly onError?: (error: unknown, request: Request) => Response | undefined | Promise<Response | undefined>;
  /** Called with what happens; it gets no token, claim, or text of thrown errors. Default: nothing is logged. */
  readonly logger?: (record: LogRecord) => void;
  /** Tells the time, and waits. Default: the system's clock. */
  readonly clock?: Clock;
}

/** For a handler that needs no client of its own: `client` is then `undefined`. A fallback needs one, to act as. */
export interface ProtectOptionsWithoutClient extends Omit<ProtectOptions<undefined>, 'createClient' | 'closeClient' | 'fallbackClient'> {
  readonly createClient?: never;
  readonly closeClient?: never;
  readonly fallbackClient?: never;
}

/** What a platform gives beside the request. */
export interface RequestPlatform {
  /** Workers end what nobody waits for when the response is over: with this the closing of clients is waited for. */
  readonly waitUntil?: (work: Promise<unknown>) => void;
  /**
   * The IP address the request came from, as the connection says it. The gateway bounds requests by it, so it must
   * not be what the caller wrote into a header.
   */
  readonly clientAddress?: string;
}

/** Takes anything in second place, since routers and adapters pass what they have there; only what `RequestPlatform` names is used. */
export type ProtectedHandler = (request: Request, platform?: RequestPlatform | object) => Promise<Response>;
