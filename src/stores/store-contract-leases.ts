/** What a store must do with leases; part of `store-contract.ts`. */
import { atOnce, type ContractCases, equal, leased, SECOND_MS } from './store-contract-checks.ts';

export const leaseCases: ContractCases = {
  'leases to one owner at a time': async (store, _under, handles) => {
    const lease = await leased(store, 'a', 'first');
    equal(lease.key, 'a');
    equal(lease.owner, 'first');
    equal(await handles(1).acquireLease('a', 'second', 10 * SECOND_MS), undefined);
    await leased(store, 'b', 'second');
  },

  'leases to one of many at once': async (_store, _under, handles) => {
    const leases = await atOnce((index) => handles(index).acquireLease('a', `owner ${index}`, 10 * SECOND_MS));
    equal(leases.filter((lease) => lease !== undefined).length, 1);
  },

  'renews a lease for its owner under the same fence': async (store, under) => {
    const lease = await leased(store, 'a', 'first', 2 * SECOND_MS);
    await under.advance(SECOND_MS);
    const renewed = await leased(store, 'a', 'first', 2 * SECOND_MS);
    equal(renewed.fence, lease.fence);
    equal(renewed.expiresAtEpochMs > lease.expiresAtEpochMs, true);
    await under.advance(SECOND_MS);
    equal(await store.acquireLease('a', 'second', SECOND_MS), undefined);
  },

  'leases to the next owner after the lease has run out, with a greater fence': async (store, under) => {
    const lost = await leased(store, 'a', 'first', SECOND_MS);
    await under.advance(SECOND_MS);
    const next = await leased(store, 'a', 'second', SECOND_MS);
    equal(next.fence > lost.fence, true);
    await under.advance(SECOND_MS);
    const again = await leased(store, 'a', 'second', SECOND_MS);
    equal(again.fence > next.fence, true);
  },

  'leases to the next owner at once after a release, with a greater fence': async (store) => {
    const first = await leased(store, 'a', 'first');
    await store.releaseLease(first);
    const second = await leased(store, 'a', 'second');
    equal(second.fence > first.fence, true);
    await store.releaseLease(second);
    equal((await leased(store, 'a', 'first')).fence > second.fence, true);
  },

  'leaves a successor its lease when the one before it is released': async (store, under) => {
    const lost = await leased(store, 'a', 'first', SECOND_MS);
    await under.advance(SECOND_MS);
    await leased(store, 'a', 'second');
    await store.releaseLease(lost);
    equal(await store.acquireLease('a', 'third', SECOND_MS), undefined);
  },

  'releases a lease that was renewed since': async (store) => {
    const lease = await leased(store, 'a', 'first');
    await leased(store, 'a', 'first');
    await store.releaseLease(lease);
    await leased(store, 'a', 'second');
  },

  'keeps leases and records of the same key apart': async (store) => {
    const lease = await leased(store, 'a', 'first');
    equal(await store.read('a'), undefined);
    await store.write('a', { n: 1 });
    await store.releaseLease(lease);
    equal((await store.read('a'))?.value, { n: 1 });
    await leased(store, 'a', 'second');
    await store.delete('a');
    equal(await store.acquireLease('a', 'third', SECOND_MS), undefined);
  },
};
