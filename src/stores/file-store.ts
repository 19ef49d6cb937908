/**
 * A store in a directory, shared by any number of processes of one user: one file
 * a record, replaced as a whole and on the disk before a write resolves. Files
 * have mode 0600, the directory 0700 (no effect on Windows, where the user's
 * profile directory keeps others out).
 *
 * A damaged file is set aside as `….damaged-<time>` and reported once as
 * `record_unreadable`; a file of a later format stays where it is and is reported
 * every time. Neither is ever deleted or overwritten.
 */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { type Clock, systemClock } from '../clock.ts';
import { readIfThere, removeFile, syncDirectoryOf, withPreparedFile } from './atomic-file.ts';
import type { Store, StoredRecord } from './contract.ts';
import { defaultStoreDirectory } from './default-directory.ts';
import { errnoOf, fileFailure } from './file-errors.ts';
import { encodeFile, type FileRecord } from './file-format.ts';
import { acquireFileLease, releaseFileLease } from './file-leases.ts';
import { type HeldLock, underLock } from './file-lock.ts';
import { sweepFiles } from './file-sweep.ts';
import { isRecordFile, readLockedRecordFile, readRecordFile, recordPath } from './record-files.ts';
import { prepareDirectory } from './store-directory.ts';

const SWEEP_EVERY_MS = 3_600_000;

/**
 * `directory` is made when it is first written to; default `~/.local/state/authchart`
 * or the platform's equivalent. `clock` decides what has expired.
 */
export function fileStore(options: { readonly directory?: string; readonly clock?: Clock } = {}): Store {
  const clock = options.clock ?? systemClock;
  const directory = resolve(options.directory ?? defaultStoreDirectory());
  let prepared: Promise<void> | undefined;
  let sweepAtEpochMs = 0;

  /** Errors of the file system become failures that name the directory and nothing else. */
  const guarded = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (thrown) {
      throw fileFailure(thrown, directory);
    }
  };

  /** For work that needs the directory; made anew if someone deleted it meanwhile. */
  const inDirectory = <Result>(work: () => Promise<Result>): Promise<Result> =>
    guarded(async () => {
      const attempt = async (): Promise<Result> => {
        prepared ??= prepareDirectory(directory, isRecordFile);
        await prepared;
        return work();
      };
      try {
        return await attempt();
      } catch (thrown) {
        prepared = undefined;
        if (errnoOf(thrown) !== 'ENOENT') throw thrown;
        return attempt();
      }
    });

  const inForce = (record: FileRecord | undefined): StoredRecord | undefined => {
    if (record === undefined || (record.expiresAtEpochMs ?? Number.POSITIVE_INFINITY) <= clock.now()) return undefined;
    return { value: record.value, version: record.version };
  };

  /** Removes the file if `isMeant`; resolves to what was in force. */
  const remove = (key: string, isMeant: (current: StoredRecord | undefined) => boolean): Promise<StoredRecord | undefined> =>
    guarded(async () => {
      const path = recordPath(directory, key);
      if ((await readIfThere(path)) === undefined) return undefined;
      return underLock(path, async (lock) => {
        const current = inForce(await readLockedRecordFile(path, key));
        if (!isMeant(current)) return undefined;
        lock.assertHeld();
        await removeFile(path);
        await syncDirectoryOf(path);
        return current;
      });
    });

  const sweepSometimes = async (): Promise<void> => {
    const nowEpochMs = clock.now();
    if (nowEpochMs < sweepAtEpochMs) return;
    sweepAtEpochMs = nowEpochMs + SWEEP_EVERY_MS;
    await sweepFiles(directory, nowEpochMs);
  };

  return {
    read: (key) => guarded(async () => inForce(await readRecordFile(recordPath(directory, key), key))),

    write(key, value, { expected, expiresAtEpochMs } = {}) {
      const path = recordPath(directory, key);
      const version = randomUUID();
      const compareAndSet = async (lock: HeldLock, commit: () => Promise<void>) => {
        const current = inForce(await readLockedRecordFile(path, key));
        if (expected !== undefined && expected !== (current?.version ?? null)) return { written: false, current } as const;
        lock.assertHeld();
        await commit();
        return { written: true, version } as const;
      };
      return inDirectory(async () => {
        // Only what expires makes a directory grow without its user noticing.
        if (expiresAtEpochMs !== undefined) await sweepSometimes();
        const text = encodeFile({ key, version, value, ...(expiresAtEpochMs !== undefined && { expiresAtEpochMs }) });
        // Brought to the disk before the lock is taken, so that it is held for microseconds.
        const result = await withPreparedFile(path, { text, durable: true }, (commit) =>
          underLock(path, (lock) => compareAndSet(lock, commit)),
        );
        if (result.written) await syncDirectoryOf(path);
        return result;
      });
    },

    async delete(key, { expected } = {}) {
      const removed = await remove(key, (current) => expected === undefined || expected === current?.version);
      return removed !== undefined;
    },

    take: (key) => remove(key, () => true),

    acquireLease: (key, owner, durationMs) => inDirectory(() => acquireFileLease({ directory, clock }, { key, owner, durationMs })),

    releaseLease: (lease) => inDirectory(() => releaseFileLease(directory, lease)),
  };
}
