/**
 * The clients of a host that are in memory: loaded when they are needed, dropped
 * when nobody has used them for a while, and never more than a maximum. What a
 * dropped client was about is in the store.
 */
import type { OpenedClient, StatusListener } from '../client.ts';
import type { Clock } from '../clock.ts';
import { AuthorizationError } from '../errors.ts';
import { failure } from '../failure.ts';
import type { AuthorizationStatus, Progress } from '../status.ts';

/** The place of one client, in memory or not. */
export interface Place {
  /** Names its flow. */
  readonly key: string;
  open(): OpenedClient;
  /** Told when it leaves memory, and what was last to be seen of it. */
  dropped(status: AuthorizationStatus, progress: Progress): void;
}

export interface LiveClients<Known extends Place> {
  /**
   * Does the work with the client, which stays in memory meanwhile.
   *
   * @throws AuthorizationError `host_busy` if as many as may be are at work; `closed`.
   */
  use<Result>(place: Known, work: (opened: OpenedClient) => Promise<Result>, options?: UseOptions): Promise<Result>;
  /** The client that is in memory under this key, and its place. */
  find(key: string): { readonly place: Known; readonly opened: OpenedClient } | undefined;
  /** Subscribes to the status of the client, whenever it is in memory; from then on it stays there. Returns how to stop. */
  watch(key: string, listener: StatusListener): () => void;
  /** How many are in memory. */
  readonly size: number;
  /** Closes all; whoever still waits for one gets `closed`. */
  close(): Promise<void>;
}

export interface UseOptions {
  /** Load it although the maximum is reached: the work is short, and others wait for it. */
  readonly mayExceed?: boolean;
}

interface Watcher {
  readonly listener: StatusListener;
  stop(): void;
}

interface Live<Known> {
  readonly place: Known;
  readonly opened: OpenedClient;
  /** Calls under way. */
  uses: number;
  usedAtEpochMs: number;
}

/** The clients are looked at this often in one idle time. */
const LOOKS_PER_IDLE_TIME = 2;

export function createLiveClients<Known extends Place>(o: {
  readonly clock: Clock;
  readonly idleMs: number;
  readonly maxClients: number;
}): LiveClients<Known> {
  const { clock, idleMs, maxClients } = o;
  /** The least recently used first. */
  const live = new Map<string, Live<Known>>();
  /** On their way out: until then, nobody else may open the same flow. */
  const leaving = new Map<string, Promise<unknown>>();
  const watched = new Map<string, Set<Watcher>>();
  const closing = new AbortController();
  let isLooking = false;

  const drop = ({ place, opened }: Live<Known>): void => {
    const { key } = place;
    live.delete(key);
    place.dropped(opened.client.status, opened.client.progress);
    const gone = opened.client.close().finally(() => leaving.delete(key));
    leaving.set(
      key,
      gone.catch(() => undefined),
    );
  };

  const dropOldestIdle = (): void => {
    for (const one of live.values()) {
      if (!isIdle(one)) continue;
      drop(one);
      return;
    }
  };

  /** Nobody would notice if it left memory. */
  const isIdle = ({ place, opened, uses }: Live<Known>): boolean => uses === 0 && !watched.has(place.key) && isAtRest(opened);

  const attach = (watcher: Watcher, { opened }: Live<Known>): void => {
    watcher.stop = opened.client.subscribe(watcher.listener);
  };

  /** Only while there is something to look at. */
  const lookForIdle = async (): Promise<void> => {
    isLooking = true;
    while (live.size > 0 && !closing.signal.aborted) {
      await clock.sleep(idleMs / LOOKS_PER_IDLE_TIME, closing.signal, { background: true }).catch(() => undefined);
      const latest = clock.now() - idleMs;
      for (const one of [...live.values()]) if (one.usedAtEpochMs <= latest && isIdle(one)) drop(one);
    }
    isLooking = false;
  };

  const load = (place: Known): Live<Known> => {
    const opened = place.open();
    const loaded: Live<Known> = { place, opened, uses: 0, usedAtEpochMs: clock.now() };
    live.set(place.key, loaded);
    for (const watcher of watched.get(place.key) ?? []) attach(watcher, loaded);
    if (!isLooking) void lookForIdle();
    return loaded;
  };

  /** What to wait for before another can be loaded; `undefined` if there is room. */
  const roomIsMade = (): Promise<unknown> | undefined => {
    if (live.size + leaving.size < maxClients) return undefined;
    dropOldestIdle();
    if (leaving.size === 0) throw new AuthorizationError(failure('host_busy', 'request'));
    return Promise.race(leaving.values());
  };

  /** In memory, and counted as used before anyone else has a turn. */
  const taken = async (place: Known, mayExceed: boolean): Promise<Live<Known>> => {
    while (!closing.signal.aborted) {
      const known = live.get(place.key);
      if (known !== undefined) return use(known);
      const before = leaving.get(place.key) ?? (mayExceed ? undefined : roomIsMade());
      if (before === undefined) return use(load(place));
      await before;
    }
    throw new AuthorizationError(failure('closed', 'request'));
  };

  const use = (one: Live<Known>): Live<Known> => {
    one.uses += 1;
    return one;
  };

  const release = (one: Live<Known>): void => {
    one.uses -= 1;
    one.usedAtEpochMs = clock.now();
    if (live.get(one.place.key) !== one) return;
    live.delete(one.place.key);
    live.set(one.place.key, one);
    // More than may be were needed for a moment.
    if (live.size > maxClients) dropOldestIdle();
  };

  return {
    async use(place, work, { mayExceed = false } = {}) {
      const known = live.get(place.key);
      const one = known === undefined ? await taken(place, mayExceed) : use(known);
      try {
        return await work(one.opened);
      } finally {
        release(one);
      }
    },
    find: (key) => live.get(key),
    watch(key, listener) {
      const watcher: Watcher = { listener, stop: () => {} };
      const watchers = watched.get(key) ?? new Set();
      watched.set(key, watchers.add(watcher));
      const there = live.get(key);
      if (there !== undefined) attach(watcher, there);
      return () => {
        watcher.stop();
        watchers.delete(watcher);
        if (watchers.size === 0 && watched.get(key) === watchers) watched.delete(key);
      };
    },
    get size() {
      return live.size;
    },
    async close() {
      closing.abort();
      for (const one of [...live.values()]) drop(one);
      await Promise.all(leaving.values());
    },
  };
}

/** The chart rests or waits for a person or another process, and there are no tokens that the store did not take (RFR-07). */
function isAtRest({ flow }: OpenedClient): boolean {
  const { accessTokens, open } = flow.environment;
  if (accessTokens.unsaved !== undefined || open.obtaining !== undefined) return false;
  const snapshot = flow.actor.getSnapshot();
  // A login that is another's goes on there; who follows it for nobody would only fill this worker.
  return !snapshot.hasTag('working') || snapshot.matches({ working: { joining: 'following' } });
}
