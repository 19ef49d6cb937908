/** The end of a backend client that was made for one request: once, whatever happens (GWY-11). */
import type { Clock } from '../clock.ts';
import { kindOf } from '../failure.ts';

export interface ClientClosing {
  /** Closes the client, at the first call only. Never throws and never waits. */
  readonly end: () => void;
  /** Resolves when the client is closed, or when closing it failed. */
  readonly closed: Promise<void>;
}

type Report = (event: string, details: Readonly<Record<string, unknown>>) => void;

/** A closing that takes longer is told of: the connection it keeps will be missed. */
const SLOW_MS = 10_000;

/** How to close this client; `undefined` if there is nothing to close. */
export function closerOf<Client>(client: Client, given: ((client: Client) => unknown) | undefined): (() => unknown) | undefined {
  if (given !== undefined) return () => given(client);
  if ((typeof client !== 'object' && typeof client !== 'function') || client === null) return undefined;
  const methods = client as { readonly [name: PropertyKey]: unknown };
  for (const name of [Symbol.asyncDispose, Symbol.dispose, 'close']) {
    const method = name === undefined ? undefined : methods[name];
    if (typeof method === 'function') return () => method.call(client);
  }
  return undefined;
}

export function clientClosing(close: () => unknown, clock: Clock, report: Report): ClientClosing {
  let isEnded = false;
  let resolve: () => void = () => {};
  const closed = new Promise<void>((settle) => {
    resolve = settle;
  });
  const failed = (thrown: unknown): void => report('backend-client-close-failed', { thrown: kindOf(thrown) });
  const wait = async (closing: PromiseLike<unknown>): Promise<void> => {
    const finished = new AbortController();
    clock.sleep(SLOW_MS, finished.signal, { background: true }).then(
      () => report('backend-client-close-slow', { afterMs: SLOW_MS }),
      () => {},
    );
    try {
      await closing;
    } catch (thrown) {
      failed(thrown);
    } finally {
      finished.abort();
      resolve();
    }
  };
  const run = (): void => {
    try {
      const closing = close();
      if (isPromise(closing)) {
        void wait(closing);
        return;
      }
    } catch (thrown) {
      failed(thrown);
    }
    resolve();
  };
  return {
    closed,
    end() {
      if (isEnded) return;
      isEnded = true;
      run();
    },
  };
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { readonly then?: unknown }).then === 'function';
