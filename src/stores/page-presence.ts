/**
 * A Web Lock that this page keeps while something of it counts on being alive. The
 * browser frees it in the moment the page goes, however it goes: what another page
 * reads in a lease can then be told from what a dead page has left.
 *
 * Without Web Locks (old browsers, insecure pages) nobody is known to be dead.
 */

export interface PagePresence {
  /** The lock's name, once it is held; call `end` as often as `begin`. */
  begin(): Promise<string | undefined>;
  end(): void;
  /** True unless it is certain that whoever held this lock is gone. */
  isThere(name: string): Promise<boolean>;
}

export function pagePresence(prefix: string): PagePresence {
  let users = 0;
  let held: Promise<string | undefined> | undefined;
  let letGo: (() => void) | undefined;

  const hold = (locks: LockManager): Promise<string | undefined> => {
    const name = `${prefix}${crypto.randomUUID()}`;
    return new Promise((resolve) => {
      const over = new Promise<void>((release) => {
        letGo = release;
      });
      const granted = (): Promise<void> => {
        resolve(name);
        return over;
      };
      // Refused where storage is, or stolen: a lease then simply runs out.
      locks.request(name, granted).catch(() => resolve(undefined));
    });
  };

  return {
    begin() {
      users += 1;
      const locks = lockManager();
      held ??= locks === undefined ? Promise.resolve(undefined) : hold(locks);
      return held;
    },
    end() {
      users -= 1;
      // Not for longer than needed: a page that holds a lock is not kept for the back button.
      if (users > 0) return;
      letGo?.();
      letGo = undefined;
      held = undefined;
    },
    async isThere(name) {
      try {
        const locks = await lockManager()?.query();
        return locks?.held?.some((lock) => lock.name === name) ?? true;
      } catch {
        return true;
      }
    },
  };
}

function lockManager(): LockManager | undefined {
  return typeof navigator === 'undefined' ? undefined : navigator.locks;
}
