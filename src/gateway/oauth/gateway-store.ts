/**
 * The part of a store that belongs to one gateway: whatever it keeps lies under a digest of its issuer and resource.
 * Replicas of a gateway meet there, and two gateways nowhere, whatever else they share: a code, a registration or a
 * sign-in of one of them is nothing at the other (GWY-06, GWY-08).
 */
import type { Store } from '../../stores/contract.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { digestOf } from './random-text.ts';

/** Without `watch`: no gateway waits for notices. */
export function gatewayStore(store: Store, { issuer, resource }: Pick<GatewaySettings, 'issuer' | 'resource'>): Store {
  let place: Promise<string> | undefined;
  const at = async (key: string): Promise<string> => {
    place ??= digestOf(JSON.stringify([issuer, resource]));
    return `gateway/${await place}/${key}`;
  };
  return {
    read: async (key) => store.read(await at(key)),
    write: async (key, value, options) => store.write(await at(key), value, options),
    delete: async (key, options) => store.delete(await at(key), options),
    take: async (key) => store.take(await at(key)),
    async acquireLease(key, owner, durationMs) {
      const lease = await store.acquireLease(await at(key), owner, durationMs);
      return lease && { ...lease, key };
    },
    releaseLease: async (lease) => store.releaseLease({ ...lease, key: await at(lease.key) }),
  };
}
