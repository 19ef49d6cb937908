import { describe, expect, it } from 'vitest';
import type { TokenValidator } from '../../src/gateway/token-validator.ts';
import { backendToken, type Json, post, refreshForm } from '../helpers/gateway-scene.ts';
import { type ScriptedGateway, scriptedGateway } from '../helpers/scripted-gateway.ts';

const validator: TokenValidator = { validate: (token) => Promise.resolve({ token, scopes: [], claims: {} }) };
const FORMATS = [['opaque'], ['upstream']] as const;

/** Somebody has signed in at an identity provider that never says how long its tokens last. */
async function signedIn(format: 'opaque' | 'upstream') {
  const scene = scriptedGateway({ tokens: { format, ...(format === 'upstream' && { validator }) } });
  let issued = 0;
  scene.provider.answer = () => {
    issued += 1;
    return Response.json({ access_token: `access-${issued}`, refresh_token: `refresh-${issued}`, token_type: 'Bearer' });
  };
  const { clientId, body } = await scene.tokens();
  expect(await backendToken(scene.gateway, body['access_token'])).toBe('access-1');
  return { scene, form: refreshForm(clientId, body) };
}

const sentUpstream = ({ provider }: ScriptedGateway): readonly (string | null)[] =>
  provider.tokenRequests.slice(1).map((form) => form.get('refresh_token'));
const usedFor = (scene: ScriptedGateway, body: Json): Promise<string> => backendToken(scene.gateway, body['access_token']);

describe('an upstream token of which nobody knows how long it lasts', () => {
  it.each(FORMATS)('is renewed when its client renews what it has: %s (GWY-08)', async (format) => {
    const { scene, form } = await signedIn(format);
    const { body } = await post(scene.gateway, 'token', form);
    expect(await usedFor(scene, body)).toBe('access-2');
    const again = await post(scene.replica(), 'token', { ...form, refresh_token: String(body['refresh_token']) });
    expect(await usedFor(scene, again.body)).toBe('access-3');
    expect(sentUpstream(scene)).toEqual(['refresh-1', 'refresh-2']);
  });

  it.each(FORMATS)('is renewed once for all that come with it at the same instant: %s (GWY-08)', async (format) => {
    const { scene, form } = await signedIn(format);
    const asked = Promise.all([scene.gateway, scene.replica(), scene.gateway].map((gateway) => post(gateway, 'token', form)));
    let isOver = false;
    void asked.finally(() => {
      isOver = true;
    });
    while (!isOver) await scene.clock.advance(20);
    for (const { body } of await asked) expect(await usedFor(scene, body)).toBe('access-2');
    expect(sentUpstream(scene)).toEqual(['refresh-1']);
  });

  it('serves on while the identity provider is down, and costs no client its tokens (GWY-08)', async () => {
    const { scene, form } = await signedIn('opaque');
    scene.provider.isDown = true;
    const { status, body } = await post(scene.gateway, 'token', form);
    expect([status, await usedFor(scene, body)]).toEqual([200, 'access-1']);
  });

  it('is not handed out again in place of a new one while the identity provider is down (GWY-08)', async () => {
    const { scene, form } = await signedIn('upstream');
    scene.provider.isDown = true;
    expect((await post(scene.gateway, 'token', form)).status).toBe(503);
    scene.provider.isDown = false;
    const { body } = await post(scene.gateway, 'token', form);
    expect(await usedFor(scene, body)).toBe('access-2');
  });

  it.each(FORMATS)('ends the grant where it cannot be renewed any more: %s (GWY-08)', async (format) => {
    const { scene, form } = await signedIn(format);
    scene.provider.answer = () => Response.json({ error: 'invalid_grant' }, { status: 400 });
    const { status, body } = await post(scene.gateway, 'token', form);
    expect([status, body['error']]).toEqual([400, 'invalid_grant']);
  });

  it('serves as it is where no refresh token came with it (GWY-08)', async () => {
    const scene = scriptedGateway();
    scene.provider.answer = () => Response.json({ access_token: 'for-ever', token_type: 'Bearer' });
    const { clientId, body } = await scene.tokens();
    const form = refreshForm(clientId, body);
    const refreshed = await post(scene.gateway, 'token', form);
    expect(await usedFor(scene, refreshed.body)).toBe('for-ever');
    expect(sentUpstream(scene)).toEqual([]);
  });
});
