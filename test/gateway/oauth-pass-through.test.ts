import { describe, expect, it } from 'vitest';
import { AuthorizationError } from '../../src/errors.ts';
import { isTokenRejected, TokenRejected, type TokenValidator, ValidatorUnavailable } from '../../src/gateway/token-validator.ts';
import { backendToken, post, refreshForm, registeredClient } from '../helpers/gateway-scene.ts';
import { scriptedGateway } from '../helpers/scripted-gateway.ts';

const validator: TokenValidator = {
  validate: (token) =>
    token.startsWith('upstream-access-') ? Promise.resolve({ token, scopes: [], claims: {} }) : Promise.reject(new TokenRejected()),
};

describe('a gateway that passes upstream tokens through', () => {
  it('does so only where it is told to, with a validator that knows them (GWY-08)', () => {
    for (const tokens of [{ format: 'upstream' }, { format: 'opaque', validator }, { validator }] as const) {
      expect(() => scriptedGateway({ tokens })).toThrow(AuthorizationError);
    }
  });

  it('gives the client the upstream access token, a fresh one at each refresh that needs it, and never the refresh token (GWY-08)', async () => {
    const scene = scriptedGateway({ tokens: { format: 'upstream', validator } });
    const { clientId, body } = await scene.tokens();
    expect(body).toMatchObject({ access_token: 'upstream-access-1', token_type: 'Bearer', expires_in: 600 });
    expect(JSON.stringify(body)).not.toContain('upstream-refresh');
    expect(await backendToken(scene.gateway, body['access_token'])).toBe('upstream-access-1');
    await expect(backendToken(scene.gateway, 'another')).rejects.toSatisfy(isTokenRejected);
    await scene.clock.advance(600_000);
    const form = refreshForm(clientId, body);
    const refreshed = await post(scene.replica(), 'token', form);
    expect(refreshed.body).toMatchObject({ access_token: 'upstream-access-2', expires_in: 600 });
    await post(scene.gateway, 'revoke', { client_id: clientId, token: String(refreshed.body['refresh_token']) });
    expect(scene.provider.revoked).toEqual(['upstream-refresh-2', 'upstream-access-2']);
  });

  it('ends the grant where the access token is revoked, by the client it was given to, on any replica (GWY-08)', async () => {
    const scene = scriptedGateway({ tokens: { format: 'upstream', validator } });
    const { clientId, body } = await scene.tokens();
    const other = await registeredClient(scene.gateway);
    const form = { token: String(body['access_token']), token_type_hint: 'access_token' };
    expect((await post(scene.gateway, 'revoke', { ...form, client_id: other })).body['error']).toBe('unauthorized_client');
    expect((await post(scene.gateway, 'revoke', { ...form, client_id: clientId, token: 'unknown' })).status).toBe(200);
    expect(scene.provider.revoked).toEqual([]);
    expect((await post(scene.replica(), 'revoke', { ...form, client_id: clientId })).status).toBe(200);
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
    const refresh = refreshForm(clientId, body);
    expect((await post(scene.gateway, 'token', refresh)).body['error']).toBe('invalid_grant');
  });

  it('tells the client that it is over, or that it is an outage, as the identity provider does (GWY-08)', async () => {
    const scene = scriptedGateway({ tokens: { format: 'upstream', validator } });
    const { clientId, body } = await scene.tokens();
    const form = refreshForm(clientId, body);
    await scene.clock.advance(600_000);
    scene.provider.isDown = true;
    expect((await post(scene.gateway, 'token', form)).status).toBe(503);
    // Longer than a refresh may be retried: nothing was spent.
    await scene.clock.advance(60_000);
    scene.provider.isDown = false;
    const { body: renewed } = await post(scene.gateway, 'token', form);
    expect(renewed['access_token']).toBe('upstream-access-2');
    await scene.clock.advance(600_000);
    scene.provider.answer = () => Response.json({ error: 'invalid_grant' }, { status: 400 });
    const last = await post(scene.gateway, 'token', { ...form, refresh_token: String(renewed['refresh_token']) });
    expect(last.body['error']).toBe('invalid_grant');
  });

  describe('and refuses what it has handed out a moment ago', () => {
    const EVENT = 'gateway.handed-out-token-rejected';
    const refused = (reason: (token: string) => unknown) => {
      const scene = scriptedGateway({ tokens: { format: 'upstream', validator: { validate: (token) => Promise.reject(reason(token)) } } });
      const present = async (token: unknown): Promise<readonly unknown[]> => {
        await expect(backendToken(scene.gateway, token)).rejects.toThrow();
        return scene.logged.filter(({ event }) => event === EVENT);
      };
      return { ...scene, present };
    };

    it('warns of it with the reason and without the token, at most once a minute (GWY-08, GWY-09)', async () => {
      const { present, tokens, clock } = refused((token) => new TokenRejected(`The audience of ${token} is another.`));
      const { body } = await tokens();
      const [warning, ...more] = await present(body['access_token']);
      expect(warning).toMatchObject({ level: 'warn', event: EVENT, reason: expect.stringMatching(/^The audience of .* is another\.$/) });
      expect([JSON.stringify(warning).includes(String(body['access_token'])), more]).toEqual([false, []]);
      const { body: second } = await tokens();
      expect(await present(second['access_token'])).toHaveLength(1);
      await clock.advance(60_000);
      const { body: third } = await tokens();
      expect(await present(third['access_token'])).toHaveLength(2);
    });

    it('says only what kind of error a validator of a library threw (GWY-08, GWY-09)', async () => {
      const { present, tokens } = refused((token) => new TypeError(`no JWT: ${token.slice(0, 9)}`));
      const { body } = await tokens();
      expect(await present(body['access_token'])).toMatchObject([{ reason: 'The validator threw something else (TypeError).' }]);
    });

    it('says nothing of tokens of others, of old and of revoked ones, nor in an outage (GWY-08, GWY-09)', async () => {
      const { present, tokens, clock, gateway } = refused(() => new TokenRejected());
      expect(await present('forged')).toEqual([]);
      const { clientId, body } = await tokens();
      await post(gateway, 'revoke', { client_id: clientId, token: String(body['access_token']) });
      expect(await present(body['access_token'])).toEqual([]);
      const { body: old } = await tokens();
      await clock.advance(60_000);
      expect(await present(old['access_token'])).toEqual([]);
      const down = refused(() => new ValidatorUnavailable());
      expect(await down.present((await down.tokens()).body['access_token'])).toEqual([]);
    });
  });
});
