/** What the embedder of a host may say. */
import type { AuthorizationClientOptions } from '../options.ts';
import type { ClientMetadata } from '../protocol/documents.ts';
import type { Store } from '../stores/contract.ts';

/** Whose access to what: one client, one flow, one credential. */
export interface HostedAccount {
  /** The protected resource: the URL of the MCP server. */
  readonly resource: string | URL;
  /** Names the user, or one of several identities of a user; never empty, and never another user's (STO-04). */
  readonly account: string;
}

/** The same, with the resource as records have it. */
export interface HostedLogin {
  readonly resource: string;
  readonly account: string;
}

/** Told when a user has to approve something. */
export interface UserNeeded extends HostedLogin {
  readonly authorizationUrl: string;
  readonly issuer: string;
  /** The login goes on after it left memory, here or in another process: the user may have been told already. */
  readonly isResumed: boolean;
  /** Aborted when the user need not be told any more. */
  readonly signal: AbortSignal;
}

/** What the options of a client name, and a host decides by itself. */
export type DecidedByHost =
  | 'resource'
  | 'account'
  | 'store'
  | 'vault'
  | 'userAgent'
  | 'clientMetadata'
  | 'clock'
  | 'random'
  | 'limits'
  | 'logger';

/** Options that may differ between resources or accounts. */
export type HostedClientOptions = Omit<AuthorizationClientOptions, DecidedByHost>;

export interface AuthorizationHostOptions
  extends Omit<AuthorizationClientOptions, 'resource' | 'account' | 'userAgent' | 'clientMetadata'> {
  /** As for a client, but what names lead to is looked up before each request of a flow (SEC-03). Default `strict`, also where only exceptions are given. */
  readonly serverUrls?: NonNullable<AuthorizationClientOptions['serverUrls']>;
  /** Shared by every worker: what a flow needs to go on is there and not in memory. */
  readonly store: Store;
  /** The public URL at which `handleCallback` is reached: https, or http on a loopback address. */
  readonly redirectUri: string;
  /**
   * Which account, or accounts, the browser that sent this request is signed in to, by your own session (a cookie): the only
   * ones whose login it may complete. `undefined` where nobody is signed in. Never take it from the URL: whoever makes
   * someone else open a callback URL writes that, too.
   */
  readonly identify: (request: Request) => Identified | Promise<Identified>;
  /** What the client says when it registers; `redirectUri` is added. Default: nothing but that. */
  readonly clientMetadata?: Partial<Omit<ClientMetadata, 'redirect_uris'>>;
  /** Options for one resource or account. Has to say the same in every worker, and at any time. Default: the same for all. */
  readonly configure?: (login: HostedLogin) => HostedClientOptions;
  /** Told when a user has to approve: send a message, show a button. Default: only `status` has the URL. */
  readonly onUserNeeded?: (needed: UserNeeded) => void | Promise<void>;
  /**
   * Where the browser goes after a login: a URL, absolute or relative to `redirectUri`; or a function that returns one of the
   * origin of `redirectUri`. Default: a page that says that the window can be closed.
   */
  readonly afterLogin?: string | ((login: HostedLogin) => string);
  /** A client that nobody has used for this time leaves memory, in milliseconds. Default 60,000. */
  readonly idleMs?: number;
  /** The most clients in memory. Beyond it, those go first that were not used for the longest time. Default 2,000. */
  readonly maxClients?: number;
}

export type Identified = string | readonly string[] | undefined;
