import { describe, expect, it } from 'vitest';
import type { Gateway } from '../../src/gateway/oauth/create-gateway.ts';
import { backendToken, codeForm, GATEWAY, post } from '../helpers/gateway-scene.ts';
import { scriptedGateway } from '../helpers/scripted-gateway.ts';

describe('a code that nobody comes for', () => {
  const health = async (gateway: Gateway): Promise<number> => {
    const awaited: Promise<unknown>[] = [];
    await gateway.fetch(new Request(`${GATEWAY}/oauth/health`), { waitUntil: (work: Promise<unknown>) => awaited.push(work) });
    await Promise.all(awaited);
    return awaited.length;
  };

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
});
