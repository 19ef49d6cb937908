/** Keeps a file store from growing for ever: removes what has expired and what killed processes left half done. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfThere, removeFile, TEMPORARY } from './atomic-file.ts';
import { decodeFile } from './file-format.ts';
import { underLock } from './file-lock.ts';
import { isRecordFile } from './record-files.ts';

// A write takes milliseconds: a temporary file this old belongs to nobody.
const ABANDONED_MS = 3_600_000;
/** Files one sweep looks at, so that a write never waits long for it; the next begins elsewhere. */
const FILES_PER_SWEEP = 256;

/** Damaged files and files of a later format stay. Never rejects: nothing depends on it. */
export async function sweepFiles(directory: string, nowEpochMs: number): Promise<void> {
  try {
    const names = (await readdir(directory)).filter(isRecordFile);
    const start = names.length > FILES_PER_SWEEP ? Math.floor(Math.random() * names.length) : 0;
    const chosen = [...names.slice(start), ...names.slice(0, start)].slice(0, FILES_PER_SWEEP);
    for (const name of chosen) await sweepFile(join(directory, name), nowEpochMs);
  } catch {
    // The next sweep will do it.
  }
}

async function sweepFile(path: string, nowEpochMs: number): Promise<void> {
  if (path.endsWith(TEMPORARY)) {
    if (Date.now() - (await stat(path)).mtimeMs > ABANDONED_MS) await removeFile(path);
  } else if (path.endsWith('.json') && (await isOver(path, nowEpochMs))) {
    await underLock(path, async (lock) => {
      if (!(await isOver(path, nowEpochMs))) return;
      lock.assertHeld();
      await removeFile(path);
    });
  }
}

async function isOver(path: string, nowEpochMs: number): Promise<boolean> {
  const bytes = await readIfThere(path);
  const decoded = bytes && decodeFile(bytes);
  return decoded?.outcome === 'whole' && (decoded.record.expiresAtEpochMs ?? Number.POSITIVE_INFINITY) <= nowEpochMs;
}
