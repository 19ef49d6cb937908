import { describe, expect, it } from 'vitest';
import { isTokenRejected } from '../../src/gateway/token-validator.ts';
import { dumpingStore } from '../helpers/dumping-store.ts';
import { backendToken, post, refreshForm } from '../helpers/gateway-scene.ts';
import { holdWrite } from '../helpers/held-write.ts';
import { type ScriptedGateway, scriptedGateway } from '../helpers/scripted-gateway.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

/** Somebody has signed in; `grants` says which grants the store holds. */
async function signedIn() {
  const clock = simulatedClock();
  const { store, dump } = dumpingStore(clock);
  const scene = scriptedGateway({ clock, store });
  const { clientId, body } = await scene.tokens();
  const refreshToken = String(body['refresh_token']);
  const accessToken = String(body['access_token']);
  const grants = (): readonly string[] => Object.keys(dump()).filter(isAboutGrant);
  expect(grants()).toHaveLength(1);
  return { scene, clientId, refreshToken, accessToken, grants };
}

const isAboutGrant = (key: string): boolean => key.includes('/grant/');

const revokeToken = ({ gateway }: ScriptedGateway, client_id: string, token: string) => post(gateway, 'revoke', { client_id, token });
const refreshWith = (gateway: ScriptedGateway['gateway'], clientId: string, refresh_token: string) =>
  post(gateway, 'token', refreshForm(clientId, { refresh_token }));

describe('a grant that is revoked', () => {
  it('before a refresh on another replica has been stored stays over, and the refresh gives nothing (GWY-04, GWY-08)', async () => {
    const { scene, clientId, refreshToken, accessToken, grants } = await signedIn();
    const held = holdWrite(scene.store, isAboutGrant);
    const refreshing = refreshWith(scene.replica(), clientId, refreshToken);
    await held.reached;
    expect((await revokeToken(scene, clientId, refreshToken)).status).toBe(200);
    held.release();
    const { status, body } = await refreshing;
    expect([status, body['error']]).toEqual([400, 'invalid_grant']);
    expect(grants()).toEqual([]);
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
    await expect(backendToken(scene.gateway, accessToken)).rejects.toSatisfy(isTokenRejected);
  });

  it('after a refresh on another replica, by the token from before it, takes along what the refresh gave (GWY-04, GWY-08)', async () => {
    const { scene, clientId, refreshToken, accessToken, grants } = await signedIn();
    const { body } = await refreshWith(scene.replica(), clientId, refreshToken);
    const newest = String(body['access_token']);
    expect(await backendToken(scene.gateway, newest)).toBe('upstream-access-1');
    expect((await revokeToken(scene, clientId, refreshToken)).status).toBe(200);
    expect(grants()).toEqual([]);
    for (const token of [newest, accessToken]) await expect(backendToken(scene.gateway, token)).rejects.toSatisfy(isTokenRejected);
    expect((await refreshWith(scene.gateway, clientId, String(body['refresh_token']))).body['error']).toBe('invalid_grant');
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
  });

  it('while its upstream tokens are renewed takes along the ones that come (GWY-08)', async () => {
    const { scene, clientId, refreshToken, accessToken, grants } = await signedIn();
    const { answer } = scene.provider;
    let renew = (): void => {};
    const asked = new Promise<void>((resolve) => {
      scene.provider.answer = async (form) => {
        resolve();
        await new Promise<void>((renewed) => {
          renew = renewed;
        });
        return answer(form);
      };
    });
    await scene.clock.advance(590_000);
    const using = backendToken(scene.gateway, accessToken);
    await asked;
    expect((await revokeToken(scene, clientId, refreshToken)).status).toBe(200);
    renew();
    await expect(using).rejects.toSatisfy(isTokenRejected);
    expect(grants()).toEqual([]);
    const first = ['upstream-refresh-1', 'upstream-access-1'];
    expect(scene.provider.revoked).toEqual([...first, 'upstream-refresh-2', 'upstream-access-2']);
  });
});
