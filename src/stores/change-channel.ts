/** Notices of changes, to this page and by BroadcastChannel to all others of its origin. Hints only: a page may miss some. */
import { createWatchers } from './watchers.ts';

export interface ChangeChannel {
  watch(key: string, listener: () => void): () => void;
  /** The record of this key has changed: everyone who watches it hears of it. */
  tell(key: string): void;
  /** Stops hearing and telling other pages, until it is used again. */
  close(): void;
}

export function changeChannel(name: string): ChangeChannel {
  const watchers = createWatchers();
  let channel: BroadcastChannel | undefined;
  let unlisten: (() => void) | undefined;

  const open = (): BroadcastChannel | undefined => {
    if (channel !== undefined || typeof BroadcastChannel === 'undefined') return channel;
    channel = new BroadcastChannel(name);
    channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      const key = typeof data === 'object' && data !== null && 'changed' in data ? data.changed : undefined;
      if (typeof key === 'string') watchers.tell(key);
    });
    unlisten = onReturn(watchers.tellAll);
    return channel;
  };

  return {
    watch(key, listener) {
      open();
      return watchers.watch(key, listener);
    },
    tell(key) {
      watchers.tell(key);
      open()?.postMessage({ changed: key });
    },
    close() {
      unlisten?.();
      channel?.close();
      unlisten = undefined;
      channel = undefined;
    },
  };
}

/** A page that comes back by the back button was asleep, and has missed what was told meanwhile. */
function onReturn(listener: () => void): () => void {
  const heard = (event: Event): void => {
    if ('persisted' in event && event.persisted === true) listener();
  };
  globalThis.addEventListener?.('pageshow', heard);
  return () => globalThis.removeEventListener?.('pageshow', heard);
}
