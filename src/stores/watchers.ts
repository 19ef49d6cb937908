/** Who wants to hear of changes to which key, within one process. */

export interface Watchers {
  /** Returns how to stop. The same listener may watch more than once. */
  watch(key: string, listener: () => void): () => void;
  /** Tells everyone who watches the key; what a listener throws is its own affair. */
  tell(key: string): void;
  /** Tells everyone: anything may have changed. */
  tellAll(): void;
  /** True if nobody watches anything. */
  isEmpty(): boolean;
}

export function createWatchers(): Watchers {
  const watchers = new Map<string, Set<() => void>>();

  const tell = (key: string): void => {
    // Copied: a listener may stop itself, or watch something else.
    const ofKey = watchers.get(key);
    if (ofKey !== undefined) for (const notify of [...ofKey]) notify();
  };

  return {
    watch(key, listener) {
      const notify = (): void => {
        try {
          listener();
        } catch {
          // The change has happened, whatever the listener makes of it.
        }
      };
      const ofKey = watchers.get(key) ?? new Set();
      watchers.set(key, ofKey.add(notify));
      return () => {
        ofKey.delete(notify);
        if (ofKey.size === 0 && watchers.get(key) === ofKey) watchers.delete(key);
      };
    },
    tell,
    tellAll() {
      for (const key of [...watchers.keys()]) tell(key);
    },
    isEmpty: () => watchers.size === 0,
  };
}
