/** A client against scripted servers, in process, with a user who approves: what most flow tests start from. */
import { type AuthorizationClient, createAuthorizationClient } from '../../src/client.ts';
import type { AuthorizationClientOptions, FetchLike } from '../../src/options.ts';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { type ScriptedOptions, type ScriptedServers, scriptedServers } from '../fixtures/scripted/scripted-servers.ts';
import { countingStore } from './counting-store.ts';
import { watchProgress } from './progress-watch.ts';
import { type ScriptedUser, scriptedUser } from './scripted-user.ts';
import { type SimulatedClock, simulatedClock } from './simulated-clock.ts';

export interface Scene {
  readonly servers: ScriptedServers;
  readonly client: AuthorizationClient;
  readonly user: ScriptedUser;
  readonly store: Store;
  readonly clock: SimulatedClock;
  /** How many store operations there were until now. */
  storeOperations(): number;
  /** Another client of the same account on the same store: another process, as far as the chart can tell. */
  another(options?: Overrides): AuthorizationClient;
}

/** `undefined` takes away what the scene would give. */
type Overrides = { readonly [Option in keyof AuthorizationClientOptions]?: AuthorizationClientOptions[Option] | undefined };

export interface SceneOptions extends ScriptedOptions {
  readonly client?: Partial<AuthorizationClientOptions>;
  /** How the user acts; default approves. */
  readonly act?: (servers: ScriptedServers, authorizationUrl: string) => Promise<string> | string | undefined;
  readonly store?: Store;
  /** Of the store, the servers and the clients alike. */
  readonly clock?: SimulatedClock;
  /** Puts something between the client and the servers. */
  readonly wrapFetch?: (fetch: FetchLike) => FetchLike;
}

export function scene(options: SceneOptions = {}): Scene {
  const { clock = simulatedClock() } = options;
  const servers = scriptedServers({ now: () => clock.now(), ...options });
  const act = options.act ?? ((on: ScriptedServers, url: string) => on.approve(url));
  const user = scriptedUser((url) => act(servers, url));
  const counting = countingStore(options.store ?? memoryStore({ clock }));
  const store = counting.store;
  const create = (more: Overrides = {}): AuthorizationClient => {
    const client = createAuthorizationClient({
      resource: servers.resource.url,
      fetch: options.wrapFetch?.(servers.fetch) ?? servers.fetch,
      store,
      clock,
      userAgent: user,
      clientMetadata: { client_name: 'Scripted client', redirect_uris: ['http://127.0.0.1/callback'] },
      ...options.client,
      ...more,
    } as AuthorizationClientOptions);
    watchProgress(client);
    return client;
  };
  return { servers, client: create(), user, store, clock, storeOperations: counting.operations, another: create };
}

/** The JSON-RPC request every test sends. */
export const CALL = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
} as const;
