/** What an embedder holds of one client of a host: it works whether the client is in memory or not. */
import type { AuthorizationSnapshot } from '../../machines/selectors.ts';
import type { AuthorizationClient, AuthorizeOptions, OpenedClient } from '../client.ts';
import type { Flow } from '../flow.ts';
import type { AuthorizationStatus, Progress } from '../status.ts';
import { until } from '../until.ts';
import type { HostedLogin } from './host-options.ts';
import type { LiveClients, Place } from './live-clients.ts';

/**
 * A client of a host. It may leave memory when nobody uses it, and is loaded again by the next call; `status` and `progress`
 * then show what was last known here, until a call (`restore()` at the least) has read the store.
 */
export interface HostedClient extends Omit<AuthorizationClient, 'actor' | 'cancel' | 'close' | 'redirectUris'> {
  /**
   * Runs the flow until it is the user's turn, and does not wait for the user: resolves with `awaiting-user` and the
   * URL to send the user to (`awaiting-other`, where another worker has sent them already), with `awaiting-client`, or with `authorized` if nobody has to be asked. A login that is
   * under way already keeps its URL.
   *
   * @throws AuthorizationError if the flow ended in a failure.
   */
  beginAuthorization(options?: AuthorizeOptions): Promise<AuthorizationStatus>;
  /** Ends the flow under way, here, in another worker or in the store alone, for everyone who waits for it. */
  cancel(): Promise<void>;
}

interface Seen {
  readonly status: AuthorizationStatus;
  readonly progress: Progress;
}

export interface HostedPlace extends Place {
  readonly handle: HostedClient;
}

/** The place of the client of this account; `open` makes the client itself. */
export function hostedPlace(
  login: HostedLogin,
  { key, clients, open }: { readonly key: string; readonly clients: LiveClients<HostedPlace>; readonly open: () => OpenedClient },
): HostedPlace {
  let seen: Seen = { status: { ...login, step: 'idle' }, progress: { completed: 0, total: 0 } };

  const look = (): Seen => {
    const client = clients.find(key)?.opened.client;
    if (client !== undefined) seen = { status: client.status, progress: client.progress };
    return seen;
  };
  const use = <Result>(work: (opened: OpenedClient) => Promise<Result>): Promise<Result> => clients.use(place, work);

  const place: HostedPlace = {
    key,
    open,
    dropped(status, progress) {
      seen = { status, progress };
    },
    handle: {
      ...login,
      fetch: (input, init) => use(({ client }) => client.fetch(input, init)),
      authorize: (options) => use(({ client }) => client.authorize(options)),
      beginAuthorization: (options = {}) =>
        use(async ({ client, flow }) => {
          await untilUsersTurn(flow, options);
          return client.status;
        }),
      restore: () => use(({ client }) => client.restore()),
      accessToken: () => use(({ client }) => client.accessToken()),
      get status() {
        return look().status;
      },
      get progress() {
        return look().progress;
      },
      subscribe: (listener) => clients.watch(key, listener),
      completeAuthorization: (callbackUrl) => use(({ client }) => client.completeAuthorization(callbackUrl)),
      provideClient: (provided) => use(({ client }) => client.provideClient(provided)),
      cancel: () =>
        use(async ({ client, flow }) => {
          // A flow that waits in the store alone is ended, too.
          await client.restore();
          client.cancel({ everywhere: true });
          // By then the store says so to those who have it under way.
          await Promise.all(flow.environment.cleanUps);
        }),
      signOut: (options) => use(({ client }) => client.signOut(options)),
    },
  };
  return place;
}

/** Someone has to act, and everything that had to be done before is done. */
export function isUsersTurn(snapshot: AuthorizationSnapshot): boolean {
  if (snapshot.matches({ working: { joining: 'following' } })) return snapshot.context.followed?.grant !== undefined;
  return snapshot.hasTag('waitingForUser') && !snapshot.hasTag('working');
}

async function untilUsersTurn(flow: Flow, { scopes, signal }: AuthorizeOptions): Promise<void> {
  const over = new AbortController();
  const waiting = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  const login = flow.authorizeNow(scopes, waiting);
  const turn = until(flow.actor, isUsersTurn, waiting);
  try {
    await Promise.race([login, turn]);
  } finally {
    // Whichever still waits is let go; the flow is not.
    over.abort();
    await Promise.allSettled([login, turn]);
  }
}
