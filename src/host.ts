/**
 * Many clients over one store, for servers with many users: a worker keeps in
 * memory what is at work, and finds the rest in the store. Any worker may take any
 * callback, so that nothing has to be sticky and a worker that ends loses no login.
 */
import { type OpenedClient, openClient } from './client.ts';
import { toAuthorizationError } from './errors.ts';
import { afterLogin } from './host/after-login.ts';
import { createCallbackHandler } from './host/callback-handler.ts';
import { clientOptions, hostedLogin, invalid } from './host/client-options.ts';
import type { AuthorizationHostOptions, HostedAccount, HostedLogin } from './host/host-options.ts';
import { problemsOfHostOptions, sharedOptions } from './host/host-problems.ts';
import { type HostedClient, type HostedPlace, hostedPlace } from './host/hosted-client.ts';
import { createLiveClients } from './host/live-clients.ts';
import { createAttemptRecords } from './records/attempt-records.ts';
import { flowKeyOf } from './records/keys.ts';
import { resolveSettings } from './settings.ts';
import { toldStore } from './stores/told-store.ts';

const IDLE_MS = 60_000;
const MAX_CLIENTS = 2_000;

export interface AuthorizationHost {
  /**
   * The client of this account for this resource. Costs nothing until it is used: it is loaded from its checkpoint by the
   * first call, leaves memory when it is idle, and comes back with the next call. The same object as long as it is in memory.
   *
   * @throws AuthorizationError `invalid_configuration` for what is no resource or no account. Calls of the client throw
   *   `host_busy` where `maxClients` are at work already, and nothing was begun then.
   */
  client(account: HostedAccount): HostedClient;
  /**
   * Answers the request of a browser that came back to `redirectUri`, whichever worker sent it away and whoever else waits
   * for the login. Resolves when the login is complete or has failed, with a page or with the way to `afterLogin`. Never rejects.
   * Of the request's URL only the query counts: which path is a callback is for your router to say.
   */
  handleCallback(request: Request): Promise<Response>;
  /** How many clients are in memory, for your metrics. */
  readonly loadedClients: number;
  /** Frees everything. What waits ends with `closed`; every flow stays in the store. */
  close(): Promise<void>;
}

/**
 * A host for any number of accounts and resources.
 *
 * @throws AuthorizationError `invalid_configuration`, naming every mistake at once.
 */
export function createAuthorizationHost(options: AuthorizationHostOptions): AuthorizationHost {
  const problems = problemsOfHostOptions(options);
  if (problems.length > 0) throw toAuthorizationError(invalid(problems), 'configuration');
  const { idleMs = IDLE_MS, maxClients = MAX_CLIENTS, redirectUri, identify } = options;
  const shared = sharedOptions(options);
  const { clock, log, clientMetadata, limits } = resolveSettings({ ...shared, resource: redirectUri });
  const store = toldStore(options.store, limits);
  const clients = createLiveClients<HostedPlace>({ clock, idleMs, maxClients });

  const placeOf = (login: HostedLogin): HostedPlace => {
    const key = flowKeyOf(login.account, login.resource);
    const open = (): OpenedClient => openClient(clientOptions(login, shared, options));
    return clients.find(key)?.place ?? hostedPlace(login, { key, clients, open });
  };

  return {
    client(account) {
      try {
        return placeOf(hostedLogin(account)).handle;
      } catch (thrown) {
        throw toAuthorizationError(thrown, 'configuration');
      }
    },
    handleCallback: createCallbackHandler({
      identify,
      redirectUri,
      log,
      applicationName: clientMetadata.client_name,
      attempts: createAttemptRecords({ store, vault: options.vault === undefined ? store : toldStore(options.vault, limits), clock }),
      // Its user is here, and clients that are at work may be waiting for it: it is not held back.
      withFlow: (login, work) => clients.use(placeOf(login), ({ flow }) => work(flow), { mayExceed: true }),
      afterLogin: afterLogin(options, () => log('error', 'after-login-refused')),
    }),
    get loadedClients() {
      return clients.size;
    },
    close: () => clients.close(),
  };
}
