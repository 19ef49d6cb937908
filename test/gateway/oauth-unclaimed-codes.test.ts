import { describe, expect, it } from 'vitest';
import type { Gateway } from '../../src/gateway/oauth/create-gateway.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { breakableStore } from '../helpers/breakable-store.ts';
import { backendToken, codeForm, GATEWAY, post } from '../helpers/gateway-scene.ts';
import { scriptedGateway } from '../helpers/scripted-gateway.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

const health = async (gateway: Gateway): Promise<number> => {
  const awaited: Promise<unknown>[] = [];
  await gateway.fetch(new Request(`${GATEWAY}/oauth/health`), { waitUntil: (work: Promise<unknown>) => awaited.push(work) });
  await Promise.all(awaited);
  return awaited.length;
};

describe('a code that nobody comes for', () => {
  it('ends its grant and the tokens upstream at the next request of anybody, and the platform waits for that (GWY-08)', async () => {
    const scene = scriptedGateway();
    await scene.signedIn(scene.browser());
    expect(await health(scene.gateway)).toBe(0);
    await scene.clock.advance(61_000);
    expect(await health(scene.gateway)).toBe(1);
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
    expect(await health(scene.gateway)).toBe(0);
  });

  it('is left alone where it was redeemed, on whatever replica (GWY-04, GWY-08)', async () => {
    const scene = scriptedGateway();
    const { clientId, landing } = await scene.signedIn(scene.browser());
    const { body } = await post(scene.replica(), 'token', codeForm(clientId, landing));
    await scene.clock.advance(61_000);
    await health(scene.gateway);
    expect(scene.provider.revoked).toEqual([]);
    expect(await backendToken(scene.gateway, body['access_token'])).toBe('upstream-access-1');
  });

  it.each([1, 2])('whose grant could not be ended %i times ends later, and the log says so (GWY-08)', async (times) => {
    const { store, breakWrites } = breakableStore(memoryStore({ clock: simulatedClock() }));
    const scene = scriptedGateway({ store });
    await scene.signedIn(scene.browser());
    breakWrites((key) => key.includes('/grant/'), times);
    for (let time = 0; time < times; time += 1) {
      await scene.clock.advance(61_000);
      await health(scene.gateway);
      expect(scene.provider.revoked).toEqual([]);
    }
    const notEnded = { event: 'gateway.grant-not-ended', level: 'warn', step: 'lapsePending' };
    expect(scene.logged.filter(({ event }) => event === notEnded.event)).toEqual(
      Array.from({ length: times }, () => expect.objectContaining(notEnded)),
    );
    await scene.clock.advance(61_000);
    await health(scene.gateway);
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
  });

  it('whose checkpoint could not be written ends later, too (GWY-08)', async () => {
    const { store, breakWrites } = breakableStore(memoryStore({ clock: simulatedClock() }));
    const scene = scriptedGateway({ store });
    await scene.signedIn(scene.browser());
    breakWrites((key) => key.includes('/transaction/'));
    await scene.clock.advance(61_000);
    await health(scene.gateway);
    expect(scene.provider.revoked).toEqual([]);
    breakWrites(undefined);
    await scene.clock.advance(61_000);
    await health(scene.gateway);
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
  });
});

describe('a code that was replayed', () => {
  it('while its grant could not be ended ends it at a later request of anybody (GWY-08)', async () => {
    const { store, breakWrites } = breakableStore(memoryStore({ clock: simulatedClock() }));
    const scene = scriptedGateway({ store });
    const { clientId, landing } = await scene.signedIn(scene.browser());
    await post(scene.gateway, 'token', codeForm(clientId, landing));
    breakWrites((key) => key.includes('/grant/'), 1);
    await post(scene.gateway, 'token', codeForm(clientId, landing));
    expect(scene.provider.revoked).toEqual([]);
    await scene.clock.advance(61_000);
    await health(scene.gateway);
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
  });
});
