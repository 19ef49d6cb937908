import type { AuthorizationClient } from '../../src/client.ts';
import type { JsonObject } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { collectLeaks, type Leak } from '../fixtures/scripted/secrets.ts';
import { caughtConsole } from './caught-console.ts';
import { type Scene, type SceneOptions, scene } from './scripted-client.ts';
import { settled, simulatedClock } from './simulated-clock.ts';
import { watchedStore } from './watched-store.ts';

export interface WatchedScene extends Scene {
  /** Everything that came out so far, by where it came out. */
  readonly outputs: Readonly<Record<string, readonly unknown[]>>;
  /** What a call comes to; an error is an output, an answer of the resource is not. */
  outcome<Result>(work: Promise<Result>): Promise<Result | undefined>;
  /** Secrets in outputs, in records outside the vault, in keys of the vault. `[]` is the outcome to expect. */
  leaks(): Promise<readonly Leak[]>;
  /** What the vault was given, as text: the secrets have to be somewhere. */
  vaulted(): string;
  /** What the vault holds now, by key. */
  vaultContents(): Promise<Readonly<Record<string, JsonObject>>>;
}

export function watchedScene({ client, ...options }: SceneOptions = {}): WatchedScene {
  const { clock = simulatedClock() } = options;
  const [store, vault] = [watchedStore(memoryStore({ clock })), watchedStore(memoryStore({ clock }))];
  const outputs = {
    statuses: [] as unknown[],
    inspected: [] as unknown[],
    logged: [] as unknown[],
    errors: [] as unknown[],
    results: [] as unknown[],
    console: caughtConsole(),
    actors: [] as unknown[],
  };
  const world = scene({
    ...options,
    clock,
    store: store.store,
    client: {
      vault: vault.store,
      inspect: (event) => outputs.inspected.push(event),
      logger: (record) => outputs.logged.push(record),
      ...client,
    },
  });

  function watch(watched: AuthorizationClient): AuthorizationClient {
    outputs.statuses.push(watched.status, watched.progress);
    outputs.actors.push(watched.actor);
    watched.subscribe((...told) => outputs.statuses.push(told));
    watched.actor.subscribe((snapshot) => outputs.actors.push(snapshot));
    return watched;
  }

  watch(world.client);
  return {
    ...world,
    another: (more) => watch(world.another(more)),
    outputs,
    async outcome(work) {
      try {
        const result = await work;
        if (!(result instanceof Response)) outputs.results.push(result);
        return result;
      } catch (thrown) {
        outputs.errors.push(thrown);
        return undefined;
      }
    },
    async leaks() {
      await settled();
      const records = { stored: store.everything(), keys: Object.keys(await vault.contents()), now: await store.contents() };
      const persisted = outputs.actors.map((actor) => (actor as { getPersistedSnapshot?: () => unknown }).getPersistedSnapshot?.());
      const shown = { pages: world.user.shown, told: world.user.outcomes, opened: world.user.opened };
      const everything = { ...outputs, records, persisted, shown, clients: world.client };
      // Each on its own: what two have in common would be told of one of them only.
      return Object.entries(everything).flatMap(([name, output]) => collectLeaks({ [name]: output }, world.servers.markers));
    },
    vaulted: vault.everything,
    vaultContents: vault.contents,
  };
}
