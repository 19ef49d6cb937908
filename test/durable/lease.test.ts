import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLeases } from '../../src/durable/lease.ts';
import { FailureError } from '../../src/failure.ts';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { settled, simulatedClock } from '../helpers/simulated-clock.ts';

const LEASE_MS = 3_000;

function setup(replace: (store: Store) => Partial<Store> = () => ({})) {
  const clock = simulatedClock();
  const shared = memoryStore({ clock });
  const store = { ...shared, ...replace(shared) };
  const leasesOf = (owner: string, on: Store = shared) => createLeases({ store: on, clock, owner, leaseMs: LEASE_MS });
  return { clock, shared, here: leasesOf('here', store), there: leasesOf('there') };
}

describe('leases', () => {
  it('are held by one at a time', async () => {
    const { here, there } = setup();
    const held = await here.tryAcquire('refresh/a');
    expect(held).toMatchObject({ key: 'refresh/a', signal: { aborted: false } });
    expect(await there.tryAcquire('refresh/a')).toBeUndefined();
    expect(await there.tryAcquire('refresh/b')).toBeDefined();
  });

  it('are held once in the same process, too', async () => {
    const { here } = setup();
    const [first, second] = await Promise.all([here.tryAcquire('a'), here.tryAcquire('a')]);
    expect([first, second].filter((held) => held !== undefined)).toHaveLength(1);
    await first?.release();
    expect(await here.tryAcquire('a')).toBeDefined();
  });

  it('last as long as the work does', async () => {
    const { clock, here, there } = setup();
    const held = await here.tryAcquire('a');
    await clock.advance(20 * LEASE_MS);
    expect(held?.signal.aborted).toBe(false);
    expect(await there.tryAcquire('a')).toBeUndefined();
  });

  it('pass on at once when released, with a greater fence, and leave no heartbeat behind', async () => {
    const { clock, here, there } = setup();
    const held = await here.tryAcquire('a');
    await held?.release();
    await held?.release();
    expect(clock.sleeping).toBe(0);
    const next = await there.tryAcquire('a');
    expect(next?.fence).toBeGreaterThan(held?.fence ?? Number.POSITIVE_INFINITY);
    expect(held?.signal.aborted).toBe(false);
  });

  it('pass on within their duration after their holder died', async () => {
    const { clock, shared, there } = setup();
    await shared.acquireLease('a', 'dead', LEASE_MS);
    expect(await there.tryAcquire('a')).toBeUndefined();
    await clock.advance(LEASE_MS);
    expect(await there.tryAcquire('a')).toBeDefined();
  });

  it('are lost, and say so, when renewing fails until they run out', async () => {
    let reachable = true;
    const failing = (store: Store): Partial<Store> => ({
      acquireLease: (...args) => (reachable ? store.acquireLease(...args) : Promise.reject(new Error('unreachable'))),
    });
    const { clock, here, there } = setup(failing);
    const held = await here.tryAcquire('a');
    reachable = false;
    await clock.advance(LEASE_MS - 1);
    expect(held?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(held?.signal.reason).toBeInstanceOf(FailureError);
    expect(held?.signal.reason).toMatchObject({ failure: { code: 'flow_taken_over' } });
    const successor = await there.tryAcquire('a');
    reachable = true;
    await held?.release();
    await clock.advance(LEASE_MS);
    expect(successor?.signal.aborted).toBe(false);
  });

  it('outlive a renewal that fails once', async () => {
    let calls = 0;
    const { clock, here } = setup((store) => ({
      acquireLease: (...args) => {
        calls += 1;
        return calls === 2 ? Promise.reject(new Error('once')) : store.acquireLease(...args);
      },
    }));
    const held = await here.tryAcquire('a');
    await clock.advance(10 * LEASE_MS);
    expect(held?.signal.aborted).toBe(false);
  });

  it('are lost when a renewal hangs', async () => {
    let hangs = false;
    const { clock, here } = setup((store) => ({
      acquireLease: (...args) => (hangs ? new Promise(() => undefined) : store.acquireLease(...args)),
    }));
    const held = await here.tryAcquire('a');
    hangs = true;
    await clock.advance(LEASE_MS);
    expect(held?.signal.aborted).toBe(true);
  });

  it('are lost when the process was asleep and another has worked in between', async () => {
    const { clock, here, there } = setup();
    const held = await here.tryAcquire('a');
    clock.jumpTo(clock.now() + 2 * LEASE_MS);
    const other = await there.tryAcquire('a');
    await other?.release();
    await clock.advance(LEASE_MS);
    expect(held?.signal.aborted).toBe(true);
  });

  it('are not taken once more by a renewal that was under way when they were released', async () => {
    let slow: (() => void) | undefined;
    let calls = 0;
    const { clock, here, there } = setup((store) => ({
      async acquireLease(...args) {
        calls += 1;
        if (calls === 2) await new Promise<void>((resolve) => (slow = resolve));
        return store.acquireLease(...args);
      },
    }));
    const held = await here.tryAcquire('a');
    await clock.advance(LEASE_MS / 3);
    const released = held?.release();
    await settled();
    slow?.();
    await released;
    expect(await there.tryAcquire('a')).toBeDefined();
  });

  it('keep no process alive that has nothing else to do', async () => {
    const { href } = new URL('../../src/', import.meta.url);
    const program = `
      import { systemClock } from '${href}clock.ts';
      import { createLeases } from '${href}durable/lease.ts';
      import { memoryStore } from '${href}stores/memory-store.ts';
      const leases = createLeases({ store: memoryStore(), clock: systemClock, owner: 'here', leaseMs: 3_600_000 });
      if ((await leases.tryAcquire('a')) === undefined) process.exitCode = 1;
    `;
    const ended = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'ignore' });
    onTestFinished(() => void ended.kill('SIGKILL'));
    expect(await once(ended, 'exit')).toEqual([0, null]);
  });

  it('that a failing store refuses can be tried again', async () => {
    let calls = 0;
    const { here } = setup((store) => ({
      acquireLease: (...args) => {
        calls += 1;
        return calls === 1 ? Promise.reject(new FailureError('store_failed', 'storage')) : store.acquireLease(...args);
      },
    }));
    await expect(here.tryAcquire('a')).rejects.toMatchObject({ failure: { code: 'store_failed' } });
    expect(await here.tryAcquire('a')).toBeDefined();
  });
});

describe('a lease of a store on another machine', () => {
  it.each([
    ['behind', -3_600_000],
    ['ahead', 3_600_000],
  ])('whose clock is an hour %s is held as long as it was asked for (RES-08)', async (_, skewMs) => {
    const clock = simulatedClock();
    const store = memoryStore({ clock: { ...clock, now: () => clock.now() + skewMs } });
    const leases = createLeases({ store, clock, owner: 'here', leaseMs: 4_000 });
    const lease = await leases.tryAcquire('lease/skewed');
    expect(lease?.isCurrent()).toBe(true);
    await clock.advance(60_000);
    expect(lease?.isCurrent()).toBe(true);
    expect(lease?.signal.aborted).toBe(false);
    clock.jumpTo(clock.now() + 10_000);
    expect(lease?.isCurrent()).toBe(false);
    await lease?.release();
  });
});
