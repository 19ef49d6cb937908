/** A process that can be killed at any of its dealings with the world: from then on nothing of it happens any more. */
import type { FetchLike } from '../../src/options.ts';
import type { Store } from '../../src/stores/contract.ts';

/** One dealing with the world, e.g. `write flow/…`, `read vault/…`, `POST /token`, `answer /token`. */
export type Dealing = string;

export interface MortalProcess {
  readonly store: Store;
  readonly fetch: FetchLike;
  readonly isDead: boolean;
  /** Every dealing until death, in order. */
  readonly dealings: readonly Dealing[];
  kill(): void;
}

/**
 * @param diesAt asked before each dealing; true kills the process just before it. An
 *   `answer` is a dealing of its own: killed before it, the request has reached the server.
 *   A promise holds the dealing until someone outside has decided, as for a real process.
 */
export function mortalProcess(
  world: { readonly store: Store; readonly fetch: FetchLike },
  diesAt: (dealing: Dealing, index: number) => boolean | Promise<boolean>,
): MortalProcess {
  const dealings: Dealing[] = [];
  let isDead = false;

  /** Never settles once the process is dead. */
  async function alive(dealing: Dealing): Promise<void> {
    const dies = !isDead && diesAt(dealing, dealings.length);
    if (dies === true || (dies !== false && (await dies))) isDead = true;
    if (isDead) await new Promise(() => {});
    dealings.push(dealing);
  }

  const store: Store = {
    read: (key) => alive(`read ${key}`).then(() => world.store.read(key)),
    write: (key, ...rest) => alive(`write ${key}`).then(() => world.store.write(key, ...rest)),
    delete: (key, ...rest) => alive(`delete ${key}`).then(() => world.store.delete(key, ...rest)),
    take: (key) => alive(`take ${key}`).then(() => world.store.take(key)),
    acquireLease: (key, ...rest) => alive(`lease ${key}`).then(() => world.store.acquireLease(key, ...rest)),
    releaseLease: (lease) => alive(`release ${lease.key}`).then(() => world.store.releaseLease(lease)),
  };

  return {
    store,
    dealings,
    get isDead() {
      return isDead;
    },
    kill() {
      isDead = true;
    },
    async fetch(input, init) {
      const { method, url } = input instanceof Request ? input : { method: init?.method ?? 'GET', url: input };
      const { pathname } = new URL(url);
      await alive(`${method} ${pathname}`);
      const response = await world.fetch(input, init);
      await alive(`answer ${pathname}`);
      return response;
    },
  };
}
