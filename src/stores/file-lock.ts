/**
 * Mutual exclusion among all processes that use a file, with nothing but files:
 * a lock file that only one can create. docs/decisions/0008-file-store-locking.md
 * tells why it is made here.
 *
 * A lock left behind is removed by whoever finds it:
 * - at once, if its process ran on this machine and no longer does;
 * - otherwise after it has been watched unchanged for five seconds. Locks are held
 *   for milliseconds; a holder that was stopped for longer notices and gives up.
 *
 * Removing is the delicate part: of two that find the same dead lock, the slower
 * must not remove the lock the quicker took in its place. So a lock is removed only
 * by the holder of a second lock, named after the dead one, who looks once more.
 */
import { createHash, randomUUID } from 'node:crypto';
import { link, open, readlink, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod/mini';
import { FailureError } from '../failure.ts';
import { readIfThere, removeFile, TEMPORARY } from './atomic-file.ts';
import { errnoOf, isBusyOnWindows } from './file-errors.ts';

export interface HeldLock {
  /** Throws when the work has taken so long that others may have given this lock up for dead. */
  assertHeld(): void;
}

export interface LockTimes {
  /** A holder is presumed dead after its lock was watched this long; it stops trusting its lock itself after half of it. */
  readonly staleMs: number;
  /** When to give up waiting for a lock that others hold in turn. */
  readonly longestWaitMs: number;
}

const DEFAULT_TIMES: LockTimes = { staleMs: 5_000, longestWaitMs: 15_000 };
const LONGEST_PAUSE_MS = 20;

const queues = new Map<string, Promise<unknown>>();
/** Worker threads have the process number in common, and each its own copy of this module. */
const thisInstance = randomUUID();
const held = new Set<string>();

/** Runs `work` while nobody else, in this process or another, runs work under the same path. */
export async function underLock<Result>(path: string, work: (lock: HeldLock) => Promise<Result>, times = DEFAULT_TIMES): Promise<Result> {
  // Callers in this process wait for each other in order, without looking at the disk.
  const before = queues.get(path) ?? Promise.resolve();
  const turn = before.then(() => lockFile(path, work, times));
  const done = turn.catch(() => undefined);
  queues.set(path, done);
  try {
    return await turn;
  } finally {
    if (queues.get(path) === done) queues.delete(path);
  }
}

async function lockFile<Result>(path: string, work: (lock: HeldLock) => Promise<Result>, times: LockTimes): Promise<Result> {
  const lock = await acquire(`${path}.lock`, times);
  try {
    return await work({
      assertHeld() {
        if (!lock.isTrusted())
          throw new FailureError('store_failed', 'storage', { reason: 'The store was too slow; nothing was changed.' });
      },
    });
  } finally {
    await lock.release();
  }
}

interface Acquired {
  isTrusted(): boolean;
  release(): Promise<void>;
}

async function acquire(path: string, times: LockTimes): Promise<Acquired> {
  const id = `${thisInstance} ${randomUUID()}`;
  const token = JSON.stringify({ machine: await thisMachine(), pid: process.pid, id });
  const beganAtMs = performance.now();
  let watched: { readonly token: string; readonly sinceMs: number } | undefined;
  for (let round = 0; ; round += 1) {
    const takenAtMs = performance.now();
    if (await create(path, token)) {
      const isTrusted = (): boolean => performance.now() - takenAtMs < times.staleMs / 2;
      held.add(id);
      return {
        isTrusted,
        async release() {
          held.delete(id);
          await (isTrusted() ? removeFile(path) : removeLock(path, token, times));
        },
      };
    }
    const found = await readToken(path);
    if (found !== undefined) {
      if (watched?.token !== found) watched = { token: found, sinceMs: performance.now() };
      const isDead = performance.now() - watched.sinceMs > times.staleMs || (await hasDied(found));
      if (isDead) await removeLock(path, found, times);
      else await pause(Math.min(LONGEST_PAUSE_MS, 2 ** round) * (0.5 + Math.random()));
    }
    if (performance.now() - beganAtMs > times.longestWaitMs) {
      throw new FailureError('store_failed', 'storage', { reason: 'Another process kept the record locked.' });
    }
  }
}

/** Removes the lock if it is still the one with this token; see the head of this file. */
async function removeLock(path: string, token: string, times: LockTimes): Promise<void> {
  const claim = await acquire(`${path}-${createHash('sha256').update(token).digest('hex').slice(0, 12)}`, times);
  try {
    if (claim.isTrusted() && (await readToken(path)) === token) await removeFile(path);
  } finally {
    await claim.release();
  }
}

/**
 * Its content is there with the file, or a process that dies in between would leave a
 * lock that nobody can tell dead. Where there are no hard links, that is how it is.
 */
async function create(path: string, token: string): Promise<boolean> {
  const prepared = `${path}.${randomUUID()}${TEMPORARY}`;
  try {
    await writeNew(prepared, token);
    await link(prepared, path).catch((thrown: unknown) => {
      if (!HAS_NO_LINKS.has(errnoOf(thrown) ?? '')) throw thrown;
      return writeNew(path, token);
    });
    return true;
  } catch (thrown) {
    if (errnoOf(thrown) === 'EEXIST' || isBusyOnWindows(thrown)) return false;
    throw thrown;
  } finally {
    // One that stays is swept later, and stands in nobody's way.
    await removeFile(prepared).catch(() => undefined);
  }
}

const HAS_NO_LINKS = new Set(['EPERM', 'EACCES', 'EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

async function writeNew(path: string, token: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(token);
  } catch (thrown) {
    await removeFile(path);
    throw thrown;
  } finally {
    await file.close();
  }
}

const tokenText = z.object({ machine: z.string(), pid: z.int(), id: z.string() });

/** What tells this lock from every other; undefined if there is none. */
async function readToken(path: string): Promise<string | undefined> {
  const text = (await readIfThere(path))?.toString('utf8');
  if (text === undefined || parse(text) !== undefined) return text;
  // Created, not yet written: then only the file itself tells it from the next one.
  const facts = await stat(path).catch(() => undefined);
  return facts && `${text} ${facts.ino} ${facts.mtimeMs}`;
}

async function hasDied(token: string): Promise<boolean> {
  const holder = parse(token);
  if (holder === undefined || holder.machine !== (await thisMachine())) return false;
  // Ours, but not held: the disk failed when it was to be removed.
  if (holder.id.startsWith(thisInstance)) return !held.has(holder.id);
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (thrown) {
    // Anything else (EPERM) means that it runs, under another user.
    return errnoOf(thrown) === 'ESRCH';
  }
}

function parse(token: string): z.output<typeof tokenText> | undefined {
  try {
    return tokenText.safeParse(JSON.parse(token)).data;
  } catch {
    return undefined;
  }
}

let machine: Promise<string> | undefined;

/** Where process numbers mean the same: containers can share a host name without sharing them. */
function thisMachine(): Promise<string> {
  machine ??= readlink('/proc/self/ns/pid').then(
    (numbering) => `${hostname()} ${numbering}`,
    () => hostname(),
  );
  return machine;
}
