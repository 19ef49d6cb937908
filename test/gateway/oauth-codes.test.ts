import { describe, expect, it } from 'vitest';
import type { Gateway } from '../../src/gateway/oauth/create-gateway.ts';
import { isTokenRejected } from '../../src/gateway/token-validator.ts';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { backendToken, codeForm, post, refreshForm, registeredClient } from '../helpers/gateway-scene.ts';
import { scriptedGateway } from '../helpers/scripted-gateway.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { inStep } from '../helpers/stores-in-step.ts';

describe('a code', () => {
  it('is redeemed once, also where two replicas get it at the same instant; its grant then ends, here and upstream (GWY-08)', async () => {
    const { store, pair } = inStep(memoryStore({ clock: simulatedClock() }));
    let tellAnswer = (): void => {};
    const firstAnswer = new Promise<void>((resolve) => {
      tellAnswer = resolve;
    });
    // Whoever comes second ends the grant when the first has its tokens: otherwise either may be faster.
    const endingLater: Store = {
      ...store,
      delete: async (key, options) => {
        if (key.includes('/grant/')) await firstAnswer;
        return store.delete(key, options);
      },
    };
    const scene = scriptedGateway({ store: endingLater });
    const { clientId, landing } = await scene.signedIn(scene.browser());
    const form = codeForm(clientId, landing);
    pair('/transaction/', 2);
    const redeem = async (gateway: Gateway) => {
      const answer = await post(gateway, 'token', form);
      tellAnswer();
      return answer;
    };
    const answers = await Promise.all([scene.gateway, scene.replica()].map(redeem));
    expect(answers.map(({ status, body }) => [status, body['error']]).sort()).toEqual([
      [200, undefined],
      [400, 'invalid_grant'],
    ]);
    const issued = answers.find(({ status }) => status === 200)?.body;
    await expect(backendToken(scene.gateway, issued?.['access_token'])).rejects.toSatisfy(isTokenRejected);
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
  });

  it('that comes again later ends the grant (GWY-08)', async () => {
    const scene = scriptedGateway();
    const { clientId, landing } = await scene.signedIn(scene.browser());
    const first = await post(scene.gateway, 'token', codeForm(clientId, landing));
    expect(await backendToken(scene.replica(), first.body['access_token'])).toBe('upstream-access-1');
    const again = await post(scene.replica(), 'token', codeForm(clientId, landing));
    expect([again.status, again.body['error']]).toEqual([400, 'invalid_grant']);
    await expect(backendToken(scene.gateway, first.body['access_token'])).rejects.toSatisfy(isTokenRejected);
    expect((await post(scene.gateway, 'token', refreshForm(clientId, first.body))).body['error']).toBe('invalid_grant');
    expect(scene.logged.map(({ event }) => event)).toContain('gateway.code-replayed');
  });

  it.each([
    ['another verifier', { code_verifier: 'x'.repeat(43) }],
    ['no verifier', { code_verifier: '' }],
    ['another redirect URI', { redirect_uri: 'http://127.0.0.1:5001/callback' }],
    ['another code', { code: 'nonsense' }],
    ['half a code', { code: '1.x' }],
  ])('with %s is refused, and stays good for whom it belongs to (GWY-08)', async (_, changes) => {
    const scene = scriptedGateway();
    const { clientId, landing } = await scene.signedIn(scene.browser());
    const wrong = await post(scene.gateway, 'token', { ...codeForm(clientId, landing), ...changes });
    expect([wrong.status, wrong.body['error']]).toEqual([400, 'invalid_grant']);
    expect((await post(scene.gateway, 'token', codeForm(clientId, landing))).status).toBe(200);
  });

  it('of another client is refused, and another resource, too (GWY-08)', async () => {
    const scene = scriptedGateway();
    const { clientId, landing } = await scene.signedIn(scene.browser());
    const other = await registeredClient(scene.gateway);
    expect((await post(scene.gateway, 'token', codeForm(other, landing))).body['error']).toBe('invalid_grant');
    const target = await post(scene.gateway, 'token', { ...codeForm(clientId, landing), resource: 'https://other.example.com/mcp' });
    expect(target.body['error']).toBe('invalid_target');
  });

  it('that nobody comes for in time is refused, and its upstream tokens end (GWY-08)', async () => {
    const scene = scriptedGateway();
    const { clientId, landing } = await scene.signedIn(scene.browser());
    await scene.clock.advance(61_000);
    for (let time = 0; time < 2; time += 1)
      expect((await post(scene.gateway, 'token', codeForm(clientId, landing))).body['error']).toBe('invalid_grant');
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
    // It was never redeemed: nobody has stolen it.
    expect(scene.logged.map(({ event }) => event)).not.toContain('gateway.code-replayed');
  });
});
