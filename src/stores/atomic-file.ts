/**
 * Files that change as a whole: readers see the old content or the new, also when
 * the process is killed or the power fails in between. Modes have no effect on
 * Windows, where the user's profile directory keeps others out.
 */
import { randomUUID } from 'node:crypto';
import { open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { errnoOf, isBusyOnWindows } from './file-errors.ts';

/** Ends the names of files that are not in force yet. */
export const TEMPORARY = '.tmp';

/**
 * Writes the new content beside `path`, on the disk when `durable`, and lets `work`
 * decide: calling `commit` puts it in force by a mere rename, anything else discards it.
 */
export async function withPreparedFile<Result>(
  path: string,
  content: { readonly text: string; readonly durable: boolean },
  work: (commit: () => Promise<void>) => Promise<Result>,
): Promise<Result> {
  const temporary = `${path}.${randomUUID()}${TEMPORARY}`;
  let committed = false;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content.text);
      if (content.durable) await file.sync();
    } finally {
      await file.close();
    }
    return await work(async () => {
      await patiently(() => rename(temporary, path));
      committed = true;
    });
  } finally {
    if (!committed) await removeFile(temporary).catch(() => undefined);
  }
}

/** Removing what is not there succeeds. */
export async function removeFile(path: string): Promise<void> {
  try {
    await patiently(() => unlink(path));
  } catch (thrown) {
    if (errnoOf(thrown) !== 'ENOENT') throw thrown;
  }
}

export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await patiently(() => readFile(path));
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

// Windows and some network file systems cannot open a directory, or cannot sync it.
const CANNOT_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EISDIR', 'EPERM', 'EACCES']);

/** Makes renames and removals beside `path` outlast a power failure. */
export async function syncDirectoryOf(path: string): Promise<void> {
  try {
    const directory = await open(dirname(path), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (thrown) {
    if (!CANNOT_SYNC.has(errnoOf(thrown) ?? '')) throw thrown;
  }
}

const PATIENCE = 10;

async function patiently<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let round = 1; ; round += 1) {
    try {
      return await work();
    } catch (thrown) {
      if (round === PATIENCE || !isBusyOnWindows(thrown)) throw thrown;
      await pause(10 * round);
    }
  }
}
