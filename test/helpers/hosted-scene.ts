/** Workers of one server with many users: hosts on one store, browsers with session cookies, scripted servers. */

import type { AuthorizationHostOptions } from '../../src/host/host-options.ts';
import { type AuthorizationHost, createAuthorizationHost } from '../../src/host.ts';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { type ScriptedOptions, type ScriptedServers, scriptedServers } from '../fixtures/scripted/scripted-servers.ts';
import { type SimulatedClock, simulatedClock } from './simulated-clock.ts';

export const REDIRECT_URI = 'https://app.example.com/callback';

export interface HostedScene {
  readonly servers: ScriptedServers;
  readonly clock: SimulatedClock;
  readonly store: Store;
  readonly host: AuthorizationHost;
  /** Another worker. */
  worker(options?: Partial<AuthorizationHostOptions>): AuthorizationHost;
  /** The user of this account, or of another one, approves at the URL: the request that their browser comes back with. */
  approve(authorizationUrl: string, session: string | undefined): Promise<Request>;
}

export interface HostedSceneOptions extends ScriptedOptions {
  readonly host?: Partial<AuthorizationHostOptions>;
  readonly store?: (clock: SimulatedClock) => Store;
}

export function hostedScene(options: HostedSceneOptions = {}): HostedScene {
  const clock = simulatedClock();
  const servers = scriptedServers({ now: () => clock.now(), ...options });
  const store = options.store?.(clock) ?? memoryStore({ clock });
  const worker = (more: Partial<AuthorizationHostOptions> = {}): AuthorizationHost =>
    createAuthorizationHost({
      store,
      clock,
      fetch: servers.fetch,
      // The strict rule of a host asks where the names of the scripted servers lead.
      serverUrls: { resolve: async () => ['8.8.8.8'] },
      redirectUri: REDIRECT_URI,
      clientMetadata: { client_name: 'Example' },
      identify: sessionOf,
      ...options.host,
      ...more,
    });
  return {
    servers,
    clock,
    store,
    host: worker(),
    worker,
    approve: async (authorizationUrl, session) => browserRequest(await servers.approve(authorizationUrl), session),
  };
}

/** What a browser sends to this URL; its session cookie names the account it is signed in to. */
export function browserRequest(url: string, session: string | undefined, init: RequestInit = {}): Request {
  return new Request(url, { ...init, headers: session === undefined ? {} : { cookie: `session=${session}` } });
}

/** The session of a real embedder is a random key of its session store; here the cookie is the account. */
export const sessionOf = (request: Request): string | undefined => /session=([\w%-]+)/.exec(request.headers.get('cookie') ?? '')?.[1];

/** The URL that the user of this account has to approve at. */
export async function urlToApprove(host: AuthorizationHost, account: string, { servers }: Pick<HostedScene, 'servers'>): Promise<string> {
  const status = await host.client({ resource: servers.resource.url, account }).beginAuthorization();
  if (status.step !== 'awaiting-user') throw new Error(`the user is not needed: ${status.step}`);
  return status.authorizationUrl;
}
