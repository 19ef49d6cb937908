/** A process that the machine stops at one of its dealings with the world, timers and all, and lets go on when a test says so. */
import type { Clock } from '../../src/clock.ts';
import type { FetchLike } from '../../src/options.ts';
import type { Store } from '../../src/stores/contract.ts';

export interface SleepyProcess {
  readonly store: Store;
  readonly fetch: FetchLike;
  readonly clock: Clock;
  /** The dealing it was stopped before; `undefined` as long as it was not. */
  readonly stoppedBefore: string | undefined;
  /** Resolves when it is stopped. */
  readonly stopped: Promise<void>;
  goOn(): void;
}

/** `at`: how many dealings it has before it is stopped. An answer is a dealing of its own. */
export function sleepyProcess(
  world: { readonly store: Store; readonly fetch: FetchLike; readonly clock: Clock },
  at: number,
): SleepyProcess {
  let dealings = 0;
  let stoppedBefore: string | undefined;
  let noteStop = (): void => {};
  let goOn = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    noteStop = resolve;
  });
  const goesOn = new Promise<void>((resolve) => {
    goOn = resolve;
  });

  const running = (): Promise<void> => (stoppedBefore === undefined ? Promise.resolve() : goesOn);
  const dealing = async (name: string): Promise<void> => {
    if (dealings === at) {
      stoppedBefore = name;
      noteStop();
    }
    dealings += 1;
    await running();
  };

  const { store, clock } = world;
  return {
    store: {
      read: (key) => dealing(`read ${key}`).then(() => store.read(key)),
      write: (key, ...rest) => dealing(`write ${key}`).then(() => store.write(key, ...rest)),
      delete: (key, ...rest) => dealing(`delete ${key}`).then(() => store.delete(key, ...rest)),
      take: (key) => dealing(`take ${key}`).then(() => store.take(key)),
      acquireLease: (key, ...rest) => dealing(`lease ${key}`).then(() => store.acquireLease(key, ...rest)),
      releaseLease: (lease) => dealing(`release ${lease.key}`).then(() => store.releaseLease(lease)),
    },
    async fetch(input, init) {
      const { method, url } = input instanceof Request ? input : { method: init?.method ?? 'GET', url: input };
      const { pathname } = new URL(url);
      await dealing(`${method} ${pathname}`);
      const response = await world.fetch(input, init);
      await dealing(`answer ${pathname}`);
      return response;
    },
    clock: { now: clock.now, sleep: (...given) => clock.sleep(...given).then(running) },
    get stoppedBefore() {
      return stoppedBefore;
    },
    stopped,
    goOn: () => goOn(),
  };
}
