import { describe, expect, it } from 'vitest';
import { gatewayStore } from '../../src/gateway/oauth/gateway-store.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { storeContract } from '../../src/stores/store-contract.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

const WEATHER = { issuer: 'https://gateway.example.com', resource: 'https://gateway.example.com/mcp' };

describe('the part of a store that belongs to a gateway', () => {
  for (const { title, run } of storeContract) {
    it(`is a store: ${title} (STO-01, GWY-04)`, async () => {
      await run(() => {
        const clock = simulatedClock();
        return { store: gatewayStore(memoryStore({ clock }), WEATHER), advance: clock.advance };
      });
    });
  }

  it('is the same for its replicas, and another one for another issuer or resource (GWY-04, GWY-08)', async () => {
    const shared = memoryStore({ clock: simulatedClock() });
    const own = gatewayStore(shared, WEATHER);
    await own.write('grant/1', { of: 'weather' });
    const lease = await own.acquireLease('lease/1', 'me', 1000);
    expect(lease?.key).toBe('lease/1');
    const replica = gatewayStore(shared, { ...WEATHER });
    expect((await replica.read('grant/1'))?.value).toEqual({ of: 'weather' });
    expect(await replica.acquireLease('lease/1', 'another', 1000)).toBeUndefined();
    const others = [
      { ...WEATHER, issuer: 'https://payroll.example.com' },
      { ...WEATHER, resource: 'https://gateway.example.com/payroll' },
    ];
    for (const place of others) {
      const other = gatewayStore(shared, place);
      expect(await other.take('grant/1')).toBeUndefined();
      expect(await other.acquireLease('lease/1', 'another', 1000)).toBeDefined();
    }
    expect(await shared.read('grant/1')).toBeUndefined();
  });
});
