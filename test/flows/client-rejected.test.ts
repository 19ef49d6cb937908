import { describe, expect, it } from 'vitest';
import type { Responder } from '../fixtures/scripted/overrides.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { signedIn, UNTIL_DUE_MS, UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { failureOfCall } from '../helpers/waiting.ts';

const rejecting =
  (error: string): Responder =>
  () =>
    Response.json({ error }, { status: 401 });

const call = async ({ client, servers }: Scene): Promise<number> => (await client.fetch(servers.resource.url, CALL)).status;

const KNOWN = {
  client_id: 'agreed',
  client_secret: 'SECRET-client-secret-agreed',
  token_endpoint_auth_method: 'client_secret_post',
} as const;
const PREREGISTERED = {
  authorizationServer: { clients: [KNOWN] },
  client: { preregistered: [{ issuer: 'https://login.example.com', ...KNOWN }] },
};

describe('a client that the token endpoint rejects at the exchange', () => {
  it.each(['invalid_client', 'unauthorized_client'])(
    'with %s is registered again, once, and the user asked again (REG-06)',
    async (error) => {
      const stage = scene();
      stage.servers.respond('token', rejecting(error));
      expect(await call(stage)).toBe(200);
      expect(stage.servers.requestsFor('registration')).toHaveLength(2);
      expect(stage.user.shown).toHaveLength(2);
      expect(new Set(stage.user.shown.map((url) => new URL(url).searchParams.get('client_id'))).size).toBe(2);
      expect(stage.servers.violations).toEqual([]);
    },
  );

  it('a second time ends the flow with a coded error (REG-06)', async () => {
    const stage = scene();
    stage.servers.respond('token', rejecting('invalid_client'), { times: Infinity });
    expect(await failureOfCall(call(stage))).toMatchObject({ code: 'client_rejected', details: { oauthError: 'invalid_client' } });
    expect(stage.servers.requestsFor('registration')).toHaveLength(2);
    expect(stage.user.shown).toHaveLength(2);
  });

  it('is kept when it was pre-registered: the failure says to mend the configuration (REG-06)', async () => {
    const stage = scene(PREREGISTERED);
    stage.servers.respond('token', rejecting('invalid_client'));
    expect(await failureOfCall(call(stage))).toMatchObject({ code: 'client_rejected', action: 'reconfigure' });
    expect(stage.servers.requestsFor('registration')).toEqual([]);
    expect(stage.user.shown).toHaveLength(1);
    expect(await call(stage)).toBe(200);
  });

  it('is kept when it is a metadata document (REG-06)', async () => {
    const clientMetadataUrl = 'https://app.example.com/client.json';
    const stage = scene({ authorizationServer: { metadataDocuments: true }, client: { clientMetadataUrl } });
    stage.servers.respond('token', rejecting('invalid_client'));
    expect((await failureOfCall(call(stage))).code).toBe('client_rejected');
    expect(stage.servers.requestsFor('registration')).toEqual([]);
  });
});

describe('a client that the token endpoint rejects at a refresh', () => {
  it('is registered again and the user asked, when the resource has asked for it (REG-06)', async () => {
    const stage = await signedIn();
    stage.servers.authorizationServer.forgetRegistrations();
    stage.servers.authorizationServer.expireAccessTokens();
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token', 'authorization_code']);
    expect(stage.servers.requestsFor('registration')).toHaveLength(2);
    expect(stage.user.shown).toHaveLength(2);
  });

  it('is registered again after the resource was asked, when the token was about to expire (REG-06, RFR-01)', async () => {
    const stage = await signedIn();
    stage.servers.authorizationServer.forgetRegistrations();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token', 'authorization_code']);
    expect(stage.servers.requestsFor('registration')).toHaveLength(2);
    expect(stage.servers.requestsFor('resource').at(-2)).toMatchObject({ status: 401 });
  });

  it.each(['a 401', 'its expiry'])(
    'keeps its tokens when it was pre-registered, after %s: mending the configuration is enough (REG-06, RFR-03)',
    async (why) => {
      const stage = await signedIn(PREREGISTERED);
      if (why === 'a 401') stage.servers.authorizationServer.expireAccessTokens();
      else await stage.clock.advance(UNTIL_EXPIRED_MS);
      const override = stage.servers.respond('token', rejecting('invalid_client'), { times: Infinity });
      expect(await failureOfCall(stage.call())).toMatchObject({ code: 'client_rejected', action: 'reconfigure', phase: 'refresh' });
      expect(await failureOfCall(stage.call())).toMatchObject({ code: 'client_rejected' });
      expect(stage.user.shown).toHaveLength(1);
      override.remove();
      expect(await stage.call()).toBe(200);
      expect(stage.user.shown).toHaveLength(1);
      expect(new Set(stage.grants())).toEqual(new Set(['refresh_token']));
      expect(stage.servers.violations).toEqual([]);
    },
  );

  it('disturbs no request while the token still lives, when it was pre-registered (REG-06, RFR-03)', async () => {
    const stage = await signedIn(PREREGISTERED);
    await stage.clock.advance(UNTIL_DUE_MS);
    stage.servers.respond('token', rejecting('invalid_client'), { times: Infinity });
    expect(await stage.call()).toBe(200);
    expect(stage.client.status).toMatchObject({ step: 'authorized', warning: { code: 'client_rejected' } });
  });

  it('keeps its tokens when a person has entered it (REG-06, RFR-03)', async () => {
    const stage = scene({
      authorizationServer: { registration: false, clients: [KNOWN], tokenEndpointAuthMethods: ['client_secret_post'] },
    });
    expect((await failureOfCall(call(stage))).code).toBe('client_identifier_required');
    await stage.client.provideClient(KNOWN);
    expect(await call(stage)).toBe(200);
    stage.servers.authorizationServer.expireAccessTokens();
    const override = stage.servers.respond('token', rejecting('invalid_client'), { times: Infinity });
    expect((await failureOfCall(call(stage))).code).toBe('client_rejected');
    override.remove();
    expect(await call(stage)).toBe(200);
    expect(stage.user.shown).toHaveLength(1);
  });

  it('is not dropped where another process has rotated with it meanwhile (REG-06, RFR-04)', async () => {
    const stage = await signedIn();
    const other = stage.another();
    await other.restore();
    stage.servers.authorizationServer.expireAccessTokens();
    stage.servers.respond('token', async () => {
      // The other refreshes without waiting for a turn: its lease is granted beside ours.
      const acquire = stage.store.acquireLease;
      Object.assign(stage.store, { acquireLease: (key: string, owner: string, ms: number) => acquire(`${key}/other`, owner, ms) });
      await other.fetch(stage.servers.resource.url, CALL);
      Object.assign(stage.store, { acquireLease: acquire });
      return Response.json({ error: 'invalid_client' }, { status: 401 });
    });
    expect(await stage.call()).toBe(200);
    expect(stage.servers.requestsFor('registration')).toHaveLength(1);
    expect(stage.user.shown).toHaveLength(1);
  });
});
