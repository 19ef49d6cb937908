import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { scene } from '../helpers/scripted-client.ts';
import { signedIn, UNTIL_DUE_MS, UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

describe('a token that is about to expire', () => {
  it('is refreshed before it is used, and no sooner (FET-09)', async () => {
    const stage = await signedIn();
    const { servers, clock } = stage;
    await clock.advance(3_569_000);
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual([]);
    await clock.advance(1_000);
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(servers.requestsFor('resource').filter(({ status }) => status === 401)).toHaveLength(1);
    expect(servers.violations).toEqual([]);
  });

  it('is sent with what the caller gave, though the caller changed that while the token was renewed (FET-05, FET-09)', async () => {
    const stage = await signedIn();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    const init = { method: 'POST', body: 'first', headers: { 'x-order': 'first' } };
    const pending = stage.client.fetch(stage.servers.resource.url, init);
    Object.assign(init, { method: 'PUT', body: 'second', headers: { 'x-order': 'second' } });
    expect((await pending).status).toBe(200);
    const sent = stage.servers.requestsFor('resource').at(-1);
    expect([sent?.method, sent?.body, sent?.headers.get('x-order')]).toEqual(['POST', 'first', 'first']);
  });

  it('is renewed for those who stay, when the one who asked first has gone (FET-06, FET-07)', async () => {
    const stage = await signedIn();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    const first = new AbortController();
    const gone = stage.client.fetch(stage.servers.resource.url, { signal: first.signal });
    const stays = [stage.call(), stage.client.fetch(stage.servers.resource.url, { signal: new AbortController().signal })];
    first.abort(new Error('enough'));
    await expect(gone).rejects.toThrow('enough');
    await Promise.all(stays);
    expect(await stays[0]).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
  });

  it('is refreshed as early as the embedder says (FET-09)', async () => {
    const stage = await signedIn({ client: { limits: { expirySkewMs: 600_000 } } });
    await stage.clock.advance(3_001_000);
    await stage.call();
    expect(stage.grants()).toEqual(['refresh_token']);
  });

  it('is not refreshed for every request because it lives shorter than the skew (FET-09)', async () => {
    const stage = await signedIn({ authorizationServer: { accessTokenSeconds: 20 } });
    await stage.call();
    await stage.clock.advance(9_000);
    await stage.call();
    expect(stage.grants()).toEqual([]);
    await stage.clock.advance(1_000);
    await stage.call();
    await stage.call();
    expect(stage.grants()).toEqual(['refresh_token']);
  });

  it('is known as such after a restart, by its absolute expiry (FET-09)', async () => {
    const stage = await signedIn();
    await stage.clock.advance(UNTIL_DUE_MS);
    const restarted = stage.another();
    expect((await restarted.fetch(stage.servers.resource.url)).status).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(stage.servers.requestsFor('resource').at(-1)?.status).toBe(200);
    expect(stage.user.shown).toHaveLength(1);
  });

  it('is refreshed for callers that cannot use fetch (FET-09)', async () => {
    const stage = await signedIn();
    const before = await stage.client.accessToken();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    const after = await stage.client.accessToken();
    expect(after?.accessToken).not.toBe(before?.accessToken);
    expect(stage.servers.authorizationServer.introspect(after?.accessToken ?? '')).toBeDefined();
  });

  it('without a refresh token is sent, and the answer of the resource decides (FET-09)', async () => {
    const stage = await signedIn({ authorizationServer: { refreshTokens: 'none' } });
    await stage.clock.advance(UNTIL_DUE_MS);
    expect(await stage.call()).toBe(200);
    expect(stage.user.shown).toHaveLength(1);
    await stage.clock.advance(60_000);
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['authorization_code']);
    expect(stage.user.shown).toHaveLength(2);
  });

  it('without expires_in is used until the resource says 401, then refreshed (FET-09, RFR-01)', async () => {
    const stage = await signedIn({ authorizationServer: { tokenResponse: ({ expires_in: _, ...document }) => document } });
    await stage.clock.advance(7_200_000);
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(stage.user.shown).toHaveLength(1);
  });
});

describe('a 401 with a refresh token at hand', () => {
  it('leads to a refresh and not to the user (RFR-01)', async () => {
    const stage = await signedIn();
    stage.servers.authorizationServer.expireAccessTokens();
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(stage.user.shown).toHaveLength(1);
  });

  it('leads there also after a restart (RFR-01)', async () => {
    const stage = await signedIn();
    stage.servers.authorizationServer.expireAccessTokens();
    expect((await stage.another().fetch(stage.servers.resource.url)).status).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(stage.user.shown).toHaveLength(1);
  });

  it('leads to a login where the secret of the client that the refresh token belongs to is gone (RFR-01)', async () => {
    const stage = await signedIn({ authorizationServer: { tokenEndpointAuthMethods: ['client_secret_post'] } });
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    const renamed = stage.another({ clientMetadata: { redirect_uris: ['http://127.0.0.1/other'] } });
    expect((await renamed.fetch(stage.servers.resource.url)).status).toBe(200);
    expect(stage.grants()).toEqual(['authorization_code']);
    expect(stage.user.shown).toHaveLength(2);
    expect(stage.servers.violations).toEqual([]);
  });
});

describe('a refresh before a request that turns out to be impossible', () => {
  it('asks nobody: the answer of the resource decides (RFR-01)', async () => {
    const stage = await signedIn({ authorizationServer: { tokenEndpointAuthMethods: ['client_secret_post'] } });
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    // Neither what the issuer published nor the secret of the client is in this store.
    const store: Store = { ...stage.store, read: async (key) => (key.startsWith('server-metadata') ? undefined : stage.store.read(key)) };
    const other = stage.another({ store, clientMetadata: { redirect_uris: ['http://127.0.0.1/other'] } });
    expect(await other.accessToken()).toBeUndefined();
    expect(other.status.step).toBe('unauthorized');
    expect(stage.user.shown).toHaveLength(1);
    expect(stage.grants()).toEqual([]);
  });
});

describe('a public client that was registered anew', () => {
  it('still refreshes the tokens of its former identifier (RFR-01)', async () => {
    const stage = await signedIn();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    const renamed = stage.another({ clientMetadata: { redirect_uris: ['http://127.0.0.1/other'] } });
    expect((await renamed.fetch(stage.servers.resource.url)).status).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(stage.servers.violations).toEqual([]);
  });
});

describe('a credential whose tokens the vault has lost', () => {
  it.each(['a 401', 'its expiry', 'a restart'])('leads to a login after %s, and blocks nobody (RFR-01)', async (why) => {
    const clock = simulatedClock();
    const sound = memoryStore({ clock });
    const lost = new Set<string>();
    const written: string[] = [];
    const vault: Store = {
      ...sound,
      read: async (key) => (lost.has(key) ? undefined : sound.read(key)),
      async write(key, ...rest) {
        written.push(key);
        return sound.write(key, ...rest);
      },
    };
    const stage = await signedIn({ clock, client: { vault } });
    for (const key of written) lost.add(key);
    stage.servers.authorizationServer.expireAccessTokens();
    if (why === 'its expiry') await stage.clock.advance(UNTIL_EXPIRED_MS);
    const client = why === 'a restart' ? stage.another() : stage.client;
    expect((await client.fetch(stage.servers.resource.url)).status).toBe(200);
    expect(stage.user.shown).toHaveLength(2);
    expect(stage.servers.violations).toEqual([]);
  });
});

describe('what a refresh sends and keeps', () => {
  it('sends the resource and no scope (RFR-06)', async () => {
    const stage = await signedIn({ resource: { scopesFor: () => ['read'] } });
    stage.servers.authorizationServer.expireAccessTokens();
    await stage.call();
    const { form } = stage.servers.requestsFor('token').at(-1) ?? { form: new URLSearchParams() };
    expect([...form.keys()].sort()).toEqual(['client_id', 'grant_type', 'refresh_token', 'resource']);
    expect(form.get('resource')).toBe(stage.servers.resource.url);
  });

  it('leaves the resource out where that was agreed for the issuer (RFR-06)', async () => {
    const stage = await signedIn({
      authorizationServer: { expectResource: false },
      client: { issuers: { 'https://login.example.com': { resourceParameter: false } } },
    });
    stage.servers.authorizationServer.expireAccessTokens();
    await stage.call();
    expect(stage.servers.requestsFor('token').map(({ form }) => form.has('resource'))).toEqual([false, false]);
  });

  it('replaces the refresh token with the new one every time (RFR-02)', async () => {
    const stage = await signedIn();
    for (let round = 0; round < 4; round += 1) {
      await stage.clock.advance(UNTIL_EXPIRED_MS);
      expect(await stage.call()).toBe(200);
    }
    const sent = stage.servers.requestsFor('token').flatMap(({ form }) => form.get('refresh_token') ?? []);
    expect(new Set(sent).size).toBe(4);
    expect(stage.servers.violations).toEqual([]);
    expect(stage.user.shown).toHaveLength(1);
  });

  it('keeps the refresh token where the answer brings no other (RFR-02)', async () => {
    const stage = await signedIn({ authorizationServer: { refreshTokens: 'keep' } });
    for (let round = 0; round < 3; round += 1) {
      await stage.clock.advance(UNTIL_EXPIRED_MS);
      expect(
        await stage
          .another()
          .fetch(stage.servers.resource.url)
          .then(({ status }) => status),
      ).toBe(200);
    }
    const sent = stage.servers.requestsFor('token').flatMap(({ form }) => form.get('refresh_token') ?? []);
    expect(sent).toHaveLength(3);
    expect(new Set(sent).size).toBe(1);
  });

  it.each(['null', 'empty'])('takes a refresh token that is %s for none (RFR-02, TOK-02)', async (how) => {
    const value = how === 'null' ? null : '';
    const stage = await signedIn({
      authorizationServer: {
        refreshTokens: 'keep',
        tokenResponse: (document, { form }) =>
          form.get('grant_type') === 'refresh_token' ? { ...document, refresh_token: value } : document,
      },
    });
    for (let round = 0; round < 2; round += 1) {
      await stage.clock.advance(UNTIL_EXPIRED_MS);
      expect(await stage.call()).toBe(200);
    }
    expect(stage.user.shown).toHaveLength(1);
  });

  it('stores both tokens in one record, whole at every moment (RFR-02)', async () => {
    const pairs = new Set<string>();
    const stage = await signedIn();
    const { store } = stage;
    const write = store.write;
    Object.assign(store, {
      write: async (...parameters: Parameters<typeof write>) => {
        const text = JSON.stringify(parameters[1]);
        if (text.includes('SECRET-')) pairs.add(`${text.includes('SECRET-access-token')} ${text.includes('SECRET-refresh-token')}`);
        return write(...parameters);
      },
    });
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    await stage.call();
    expect(pairs).toEqual(new Set(['true true']));
  });
});

describe('scopes of a token response', () => {
  it('left out of the exchange are those that were asked for (SCO-03)', async () => {
    const { client, servers } = scene({
      resource: { scopesFor: () => ['read', 'write'] },
      authorizationServer: { scopeInResponse: 'never' },
    });
    await client.fetch(servers.resource.url);
    expect(client.status).toMatchObject({ grantedScopes: ['read', 'write'] });
  });

  it('named there count, whatever was asked for (SCO-03)', async () => {
    const { client, servers } = scene({
      resource: { challengeScopes: ['read', 'write'] },
      authorizationServer: { grantScopes: () => ['read', 'extra'] },
    });
    await client.fetch(servers.resource.url);
    expect(client.status).toMatchObject({ requestedScopes: ['read', 'write'], grantedScopes: ['read', 'extra'] });
  });

  it('left out of a refresh are those of the token before, also after a restart (SCO-03)', async () => {
    const stage = await signedIn({
      resource: { challengeScopes: ['read', 'write'] },
      authorizationServer: { grantScopes: () => ['read'] },
    });
    stage.servers.authorizationServer.options.scopeInResponse = 'never';
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    const restarted = stage.another();
    await restarted.fetch(stage.servers.resource.url);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(restarted.status).toMatchObject({ grantedScopes: ['read'], requestedScopes: ['read', 'write'] });
  });
});
