/** The files of a file store: their names, what is in them, and what is done with those that cannot be read. */
import { createHash, randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FailureError } from '../failure.ts';
import { readIfThere } from './atomic-file.ts';
import { decodeFile, type FileRecord } from './file-format.ts';
import { underLock } from './file-lock.ts';

const OURS = /^[a-z0-9-]+-[0-9a-f]{64}\.json($|\.)/;

/** True for every file name a file store makes, temporary and damaged ones included. */
export function isRecordFile(name: string): boolean {
  return OURS.test(name);
}

/**
 * The kind for people who look into the directory, a digest for everything else:
 * keys may be longer than names may be, and some file systems ignore case.
 */
export function recordPath(directory: string, key: string): string {
  const kind = key.slice(0, Math.max(0, key.indexOf('/'))) || 'record';
  return join(directory, fileName(kind, key));
}

/** Leases live beside records: the same key may have both. */
export function leasePath(directory: string, key: string): string {
  return join(directory, fileName('lease', `lease of ${key}`));
}

function fileName(kind: string, text: string): string {
  const prefix = kind
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, 32);
  return `${prefix}-${createHash('sha256').update(text).digest('hex')}.json`;
}

/** The record in force. Throws `record_unreadable` for one that is damaged (now set aside) or of a later format (left alone). */
export async function readRecordFile(path: string, key: string): Promise<FileRecord | undefined> {
  const bytes = await readIfThere(path);
  if (bytes === undefined) return undefined;
  const decoded = decodeFile(bytes, key);
  // Looked at once more under the lock: it may have been replaced by a whole one meanwhile.
  return decoded.outcome === 'whole' ? decoded.record : underLock(path, () => readLockedRecordFile(path, key));
}

/** As `readRecordFile`, for callers that hold the lock of `path`. */
export async function readLockedRecordFile(path: string, key: string): Promise<FileRecord | undefined> {
  const bytes = await readIfThere(path);
  if (bytes === undefined) return undefined;
  const decoded = decodeFile(bytes, key);
  if (decoded.outcome === 'whole') return decoded.record;
  const name = basename(path);
  if (decoded.outcome === 'newer')
    throw newer(`The file ${name} has format ${decoded.format}, which is newer than this version of authchart.`);
  const aside = `${path}.damaged-${Date.now()}-${randomUUID().slice(0, 8)}`;
  await rename(path, aside);
  throw unreadable(`The file ${name} is damaged; it was set aside as ${basename(aside)} and no longer counts.`);
}

function unreadable(reason: string): FailureError {
  return new FailureError('record_unreadable', 'storage', { reason });
}

function newer(reason: string): FailureError {
  return new FailureError('record_unreadable', 'storage', { reason, isNewer: true });
}
