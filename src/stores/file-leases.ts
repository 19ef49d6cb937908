/** Leases of a file store: one small file for each key, kept after the release because it remembers the fence. */
import * as z from 'zod/mini';
import type { Clock } from '../clock.ts';
import { syncDirectoryOf, withPreparedFile } from './atomic-file.ts';
import type { Lease } from './contract.ts';
import { encodeFile } from './file-format.ts';
import { type HeldLock, underLock } from './file-lock.ts';
import { correctedEnd, type RunningLease } from './lease-end.ts';
import { leasePath, readLockedRecordFile } from './record-files.ts';

const leaseValue = z.object({
  owner: z.string(),
  fence: z.number(),
  leaseEndsAtEpochMs: z.number(),
  durationMs: z.exactOptional(z.number()),
});

type FileLease = Lease & RunningLease;

/** Room for clocks that are set back. */
const FILE_KEPT_MS = 24 * 3_600_000;

export async function acquireFileLease(
  o: { readonly directory: string; readonly clock: Clock },
  wanted: Pick<Lease, 'key' | 'owner'> & { readonly durationMs: number },
): Promise<Lease | undefined> {
  const { key, owner } = wanted;
  const path = leasePath(o.directory, key);
  return underLock(path, async (lock) => {
    const held = await readLease(path, key);
    const nowEpochMs = o.clock.now();
    const running = held !== undefined && held.expiresAtEpochMs > nowEpochMs;
    if (running && held.owner !== owner) {
      const sooner = correctedEnd(held, nowEpochMs);
      if (sooner !== undefined) await writeLease(path, { ...held, expiresAtEpochMs: sooner }, { lock, durable: false });
      return undefined;
    }
    // At least the time of day: the fence grows even if the file that remembered it was swept or lost.
    const fence = running ? held.fence : Math.max(nowEpochMs, (held?.fence ?? 0) + 1);
    const lease: Lease = { key, owner, fence, expiresAtEpochMs: nowEpochMs + wanted.durationMs };
    // A renewal may be lost with the power; a fence may not.
    await writeLease(path, { ...lease, durationMs: wanted.durationMs }, { lock, durable: !running });
    return lease;
  });
}

export async function releaseFileLease(directory: string, lease: Lease): Promise<void> {
  const path = leasePath(directory, lease.key);
  await underLock(path, async (lock) => {
    const held = await readLease(path, lease.key);
    if (held?.owner !== lease.owner || held.fence !== lease.fence) return;
    await writeLease(path, { ...held, expiresAtEpochMs: 0 }, { lock, durable: false });
  });
}

async function readLease(path: string, key: string): Promise<FileLease | undefined> {
  const record = await readLockedRecordFile(path, key);
  const value = leaseValue.safeParse(record?.value).data;
  if (value === undefined) return undefined;
  const { owner, fence, leaseEndsAtEpochMs: expiresAtEpochMs, durationMs } = value;
  return { key, owner, fence, expiresAtEpochMs, durationMs };
}

async function writeLease(path: string, lease: FileLease, how: { readonly lock: HeldLock; readonly durable: boolean }): Promise<void> {
  const { key, owner, fence, expiresAtEpochMs, durationMs } = lease;
  const text = encodeFile({
    key,
    version: String(fence),
    // A fence is at least the time of day it was given at: the file may go once no later one can be smaller.
    expiresAtEpochMs: Math.max(fence, expiresAtEpochMs) + FILE_KEPT_MS,
    value: { owner, fence, leaseEndsAtEpochMs: expiresAtEpochMs, durationMs },
  });
  await withPreparedFile(path, { text, durable: how.durable }, async (commit) => {
    how.lock.assertHeld();
    await commit();
  });
  if (how.durable) await syncDirectoryOf(path);
}
