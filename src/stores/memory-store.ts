/** A store in the memory of this process: for programs that need nothing to outlive them, and for tests. */
import { type Clock, systemClock } from '../clock.ts';
import type { JsonObject, Lease, Store, StoredRecord } from './contract.ts';
import { jsonText } from './json-text.ts';
import { correctedEnd } from './lease-end.ts';
import { createWatchers } from './watchers.ts';

interface Entry {
  // Kept as text: callers cannot reach it, and a parked flow is smaller than as objects.
  readonly json: string;
  readonly version: string;
  readonly expiresAtEpochMs: number;
}

// Expired entries nobody asks for are dropped this often, and whenever the store
// has doubled since: both together keep it bounded at a cost that does not grow
// with the number of operations.
const SWEEP_EVERY_MS = 60_000;
const SWEEP_AT_LEAST = 256;

/** Records and leases live as long as the returned object; nothing is shared between two of them. */
export function memoryStore(options: { readonly clock?: Clock } = {}): Store {
  const clock = options.clock ?? systemClock;
  const entries = new Map<string, Entry>();
  const leases = new Map<string, Lease & { readonly durationMs: number }>();
  const watchers = createWatchers();
  // One counter for all keys: a version or fence can then never come again, also
  // not after its record was deleted.
  let counter = 0;
  let sweepAtEpochMs = clock.now() + SWEEP_EVERY_MS;
  let sweepAtSize = SWEEP_AT_LEAST;

  const sweep = (nowEpochMs: number): void => {
    for (const [key, entry] of entries) if (entry.expiresAtEpochMs <= nowEpochMs) entries.delete(key);
    for (const [key, lease] of leases) if (lease.expiresAtEpochMs <= nowEpochMs) leases.delete(key);
    sweepAtEpochMs = nowEpochMs + SWEEP_EVERY_MS;
    sweepAtSize = Math.max(SWEEP_AT_LEAST, 2 * (entries.size + leases.size));
  };
  const now = (): number => {
    const nowEpochMs = clock.now();
    if (nowEpochMs >= sweepAtEpochMs || entries.size + leases.size >= sweepAtSize) sweep(nowEpochMs);
    return nowEpochMs;
  };
  const current = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    return entry === undefined || entry.expiresAtEpochMs > now() ? entry : undefined;
  };
  const remove = (key: string): void => {
    entries.delete(key);
    watchers.tell(key);
  };

  return {
    async read(key) {
      return recordOf(current(key));
    },
    async write(key, value, { expected, expiresAtEpochMs = Number.POSITIVE_INFINITY } = {}) {
      const json = jsonText(value);
      now();
      const entry = current(key);
      if (expected !== undefined && expected !== (entry?.version ?? null)) return { written: false, current: recordOf(entry) };
      counter += 1;
      const version = String(counter);
      entries.set(key, { json, version, expiresAtEpochMs });
      watchers.tell(key);
      return { written: true, version };
    },
    async delete(key, { expected } = {}) {
      const entry = current(key);
      if (entry === undefined || (expected !== undefined && expected !== entry.version)) return false;
      remove(key);
      return true;
    },
    async take(key) {
      const entry = current(key);
      if (entry !== undefined) remove(key);
      return recordOf(entry);
    },
    async acquireLease(key, owner, durationMs) {
      const nowEpochMs = now();
      const held = leases.get(key);
      const running = held !== undefined && held.expiresAtEpochMs > nowEpochMs;
      if (running && held.owner !== owner) {
        const sooner = correctedEnd(held, nowEpochMs);
        if (sooner !== undefined) leases.set(key, { ...held, expiresAtEpochMs: sooner });
        return undefined;
      }
      if (!running) counter += 1;
      const lease: Lease = { key, owner, fence: running ? held.fence : counter, expiresAtEpochMs: nowEpochMs + durationMs };
      leases.set(key, { ...lease, durationMs });
      return lease;
    },
    async releaseLease(lease) {
      const held = leases.get(lease.key);
      if (held?.fence !== lease.fence || held.owner !== lease.owner) return;
      leases.delete(lease.key);
      watchers.tell(lease.key);
    },
    watch: watchers.watch,
  };
}

function recordOf(entry: Entry | undefined): StoredRecord | undefined {
  return entry === undefined ? undefined : { value: JSON.parse(entry.json) as JsonObject, version: entry.version };
}
