/**
 * The composition root: the one place where the chart meets its effects, the
 * store and the caller.
 */
import type { Actor } from 'xstate';
import type { AuthorizationMachine } from '../machines/authorization-machine.ts';
import type { AccessToken } from './access-token.ts';
import { completeAuthorization, deliverCallback } from './callback.ts';
import { createEnvironment } from './create-environment.ts';
import { toAuthorizationError } from './errors.ts';
import { createAuthorizedFetch } from './fetch.ts';
import { createFlow, type Flow, type SignOutOptions } from './flow.ts';
import { followStore } from './follow-store.ts';
import type { AuthorizationClientOptions, FetchLike } from './options.ts';
import { type ProvidedClient, provideClient } from './provided-client.ts';
import { resolveSettings } from './settings.ts';
import type { AuthorizationStatus, Progress } from './status.ts';
import { observeStatus } from './status-observer.ts';

export interface AuthorizationClient {
  /** The resource identifier: no fragment, no added slash. */
  readonly resource: string;
  /** Which of several identities it is for. */
  readonly account: string;
  /** Where the user's browser may come back to, as the client metadata says. */
  readonly redirectUris: readonly string[];
  /**
   * Takes what `fetch` takes and returns the resource's response, its body unread.
   * Runs the whole flow when it is needed. Not bound to `this`: pass it on as it is.
   *
   * @throws AuthorizationError if authorization failed; the caller's own abort reason if it aborted; where the resource
   * itself cannot be reached, what the platform's `fetch` throws, a `TypeError`.
   */
  readonly fetch: FetchLike;
  /** Runs the flow without a request, so that a login can be offered beforehand. */
  authorize(options?: AuthorizeOptions): Promise<AuthorizationStatus>;
  /** Reads the store, and goes on with a flow that was interrupted. Every other call does it by itself. */
  restore(): Promise<AuthorizationStatus>;
  /**
   * The access token, refreshed if it is about to expire; `undefined` if there is none. Begins no login, but waits for
   * the outcome of one that is under way. For callers that cannot use `fetch`.
   */
  accessToken(): Promise<IssuedAccessToken | undefined>;
  /** What a user interface shows. */
  readonly status: AuthorizationStatus;
  /** How far the flow under way has come. */
  readonly progress: Progress;
  /** Called when something a person can see has changed; returns how to stop. */
  subscribe(listener: StatusListener): () => void;
  /** An ordinary XState actor, for the inspector and for selectors; it accepts public events only. */
  readonly actor: Actor<AuthorizationMachine>;
  /**
   * Takes the URL the user's browser came back to, in any process that shares the store.
   *
   * @throws AuthorizationError `callback_not_expected` if no attempt waits for it; nothing has changed then.
   */
  completeAuthorization(callbackUrl: string | URL): Promise<AuthorizationStatus>;
  /** Gives the client identifier that the step `awaiting-client` waits for. */
  provideClient(client: ProvidedClient): Promise<AuthorizationStatus>;
  /** Ends the flow under way for everyone who waits for it, with `cancelled`. */
  cancel(options?: CancelOptions): void;
  /** Forgets the tokens of this account. They are not revoked at the authorization server. */
  signOut(options?: SignOutOptions): Promise<AuthorizationStatus>;
  /** Frees what the client holds open. The flow stays in the store: another client can go on with it. */
  close(): Promise<void>;
}

export interface CancelOptions {
  /** Ends it also where another process that shares the store has it under way, for all who wait there. Default false. */
  readonly everywhere?: boolean;
}

export interface AuthorizeOptions {
  /** Scopes the access token has to have. Default: any token will do. */
  readonly scopes?: readonly string[];
  /** Frees the caller; the flow goes on for others, or in the store. Default: none. */
  readonly signal?: AbortSignal;
}

export interface IssuedAccessToken {
  readonly accessToken: string;
  readonly tokenType: 'Bearer' | 'DPoP';
  readonly scopes: readonly string[];
  readonly expiresAtEpochSeconds?: number;
}

export type StatusListener = (status: AuthorizationStatus, progress: Progress) => void;

/**
 * A client for one protected resource and one account.
 *
 * @throws AuthorizationError `invalid_configuration`, naming every mistake at once.
 */
export function createAuthorizationClient(options: AuthorizationClientOptions): AuthorizationClient {
  return openClient(options).client;
}

/** A client, and the flow behind it for whoever keeps many of them. */
export interface OpenedClient {
  readonly client: AuthorizationClient;
  readonly flow: Flow;
}

export function openClient(options: AuthorizationClientOptions): OpenedClient {
  const settings = resolveOrThrow(options);
  const environment = createEnvironment(settings, (callbackUrl) => deliverCallback(flow, callbackUrl));
  const flow = createFlow(environment);
  const { actor } = flow;
  const observer = observeStatus(actor);
  actor.start();
  const unfollow = followStore(flow);

  const client: AuthorizationClient = {
    resource: settings.resource,
    account: settings.account,
    redirectUris: settings.clientMetadata.redirect_uris,
    fetch: createAuthorizedFetch(settings, flow),
    authorize: ({ scopes, signal } = {}) => flow.authorizeNow(scopes, signal).then(observer.current),
    restore: async () => {
      await flow.restored();
      return observer.current();
    },
    accessToken: async () => issued(await flow.usableToken()),
    get status() {
      return observer.current();
    },
    get progress() {
      return observer.progress();
    },
    subscribe: observer.subscribe,
    actor,
    completeAuthorization: (callbackUrl) => completeAuthorization(flow, String(callbackUrl)).then(observer.current),
    provideClient: (client) => provideClient(flow, client).then(observer.current),
    cancel: ({ everywhere = false } = {}) => flow.send({ type: 'authorization.cancel', everywhere }),
    signOut: (signOutOptions = {}) => flow.signOut(signOutOptions).then(observer.current),
    close: () => {
      unfollow();
      return flow.close();
    },
  };
  return { client, flow };
}

function resolveOrThrow(options: AuthorizationClientOptions) {
  try {
    return resolveSettings(options);
  } catch (thrown) {
    throw toAuthorizationError(thrown, 'configuration');
  }
}

function issued(token: AccessToken | undefined): IssuedAccessToken | undefined {
  if (token === undefined) return undefined;
  const { value, tokenType, scopes, expiresAtEpochSeconds } = token;
  return { accessToken: value, tokenType, scopes, ...(expiresAtEpochSeconds !== undefined && { expiresAtEpochSeconds }) };
}
