import { describe, expect, it } from 'vitest';
import { recordKey } from '../../src/records/keys.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import type { Document } from '../fixtures/scripted/options.ts';
import { CALL, type Scene, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { scriptedUser } from '../helpers/scripted-user.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { failureOfCall, untilStep, whileTimePasses } from '../helpers/waiting.ts';
import { watchedStore } from '../helpers/watched-store.ts';

const call = ({ client, servers }: Scene): Promise<Response> => client.fetch(servers.resource.url, CALL);

const registrations = ({ servers }: Scene): readonly Document[] =>
  servers.requestsFor('registration').map(({ body }) => JSON.parse(body) as Document);

/** Signed in once, and the grant has ended since: the next request needs a client and the user. */
async function signedInBefore(options: SceneOptions = {}): Promise<Scene> {
  const world = scene({ ...options, authorizationServer: { refreshTokens: 'none', ...options.authorizationServer } });
  await call(world);
  world.servers.authorizationServer.expireAccessTokens();
  expect(registrations(world)).toHaveLength(1);
  return world;
}

describe('a stored registration', () => {
  it('is used as long as it is good (REG-05)', async () => {
    const world = await signedInBefore({
      authorizationServer: { registration: { authMethod: 'client_secret_post', secretExpiresInSeconds: 7200 } },
    });
    await world.clock.advance(7_199_000);
    expect((await call(world)).status).toBe(200);
    expect(registrations(world)).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('that is replaced by one for other scopes still completes the login that waits with it (REG-05, AUT-08)', async () => {
    const world = scene({ act: () => undefined });
    const [ann, bob] = [world.client, world.another({ account: 'bob' })];
    const pending = ann.authorize({ scopes: ['mail'] });
    const { authorizationUrl } = await untilStep(ann, 'awaiting-user');
    bob.authorize({ scopes: ['files'] }).catch(() => {});
    await untilStep(bob, 'awaiting-user');
    expect(registrations(world)).toHaveLength(2);
    await ann.completeAuthorization(await world.servers.approve(authorizationUrl));
    expect(await pending).toMatchObject({ step: 'authorized', grantedScopes: ['mail'] });
    expect(world.servers.violations).toEqual([]);
  });

  it('with a secret that is replaced by one for other scopes still completes the login that waits with it, and renews its tokens (REG-05, RFR-01)', async () => {
    const clock = simulatedClock();
    const kept = watchedStore(memoryStore({ clock }));
    const registration = { authMethod: 'client_secret_post' } as const;
    const world = scene({ act: () => undefined, clock, store: kept.store, authorizationServer: { registration } });
    const [ann, bob] = [world.client, world.another({ account: 'bob' })];
    const pending = ann.authorize({ scopes: ['mail'] });
    const { authorizationUrl } = await untilStep(ann, 'awaiting-user');
    bob.authorize({ scopes: ['files'] }).catch(() => {});
    const bobs = await untilStep(bob, 'awaiting-user');
    expect(registrations(world)).toHaveLength(2);
    await ann.completeAuthorization(await world.servers.approve(authorizationUrl));
    expect(await pending).toMatchObject({ step: 'authorized', grantedScopes: ['mail'] });
    await bob.completeAuthorization(await world.servers.approve(bobs.authorizationUrl));
    world.servers.authorizationServer.expireAccessTokens();
    expect((await call(world)).status).toBe(200);
    expect(world.servers.requestsFor('token')).toHaveLength(3);
    expect(registrations(world)).toHaveLength(2);
    expect(world.servers.violations).toEqual([]);
    // Signing out for good leaves no secret behind.
    await ann.signOut({ forgetRegistration: true });
    expect(JSON.stringify(await kept.contents())).not.toMatch(/former-|client-secret/);
  });

  it('is renewed once its secret has expired (REG-05)', async () => {
    const world = await signedInBefore({
      authorizationServer: { registration: { authMethod: 'client_secret_post', secretExpiresInSeconds: 7200 } },
    });
    await world.clock.advance(7_200_000);
    expect((await call(world)).status).toBe(200);
    expect(registrations(world)).toHaveLength(2);
    // The expired secret was not presented.
    expect(world.servers.violations).toEqual([]);
  });

  it('is renewed when its redirect URIs do not cover the one in use (REG-05)', async () => {
    const world = await signedInBefore();
    const elsewhere = scriptedUser((url) => world.servers.approve(url));
    // The registered port is taken: the listener has to take another.
    const userAgent = {
      open: (request: Parameters<typeof elsewhere.open>[0]) =>
        elsewhere.open({ ...request, preferredRedirectUri: 'http://127.0.0.1:9999/callback' }),
    };
    const another = world.another({ userAgent });
    expect((await another.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(registrations(world).map((document) => document.redirect_uris)).toEqual([
      ['http://127.0.0.1:7777/callback'],
      ['http://127.0.0.1:9999/callback'],
    ]);
    expect(world.servers.violations).toEqual([]);
  });

  it('tells the redirect target which address to try first (REG-05)', async () => {
    const world = await signedInBefore();
    const another = world.another();
    expect((await another.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(world.user.opened.map(({ preferredRedirectUri }) => preferredRedirectUri)).toEqual([
      undefined,
      'http://127.0.0.1:7777/callback',
    ]);
    expect(registrations(world)).toHaveLength(1);
  });

  it('is not used for another set of redirect URIs (REG-05)', async () => {
    const world = await signedInBefore();
    const clientMetadata = { redirect_uris: ['https://app.example.com/callback'] };
    const { userAgent: _, ...page } = { userAgent: undefined, clientMetadata };
    const another = world.another({
      ...page,
      userAgent: scriptedUser((url) => world.servers.approve(url), 'https://app.example.com/callback'),
    });
    expect((await another.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(registrations(world).map((document) => [document.redirect_uris, document.application_type])).toEqual([
      [['http://127.0.0.1:7777/callback'], 'native'],
      [['https://app.example.com/callback'], 'web'],
    ]);
  });

  it('that the server has forgotten is dropped at the token endpoint, and made again once (REG-06)', async () => {
    const world = await signedInBefore();
    let approvals = 0;
    world.servers.respond(
      'token',
      async (_request, proceed) => {
        // It forgets between the approval and the exchange.
        if (approvals++ === 0) world.servers.authorizationServer.forgetRegistrations();
        return proceed();
      },
      { times: 2 },
    );
    expect((await call(world)).status).toBe(200);
    expect(registrations(world)).toHaveLength(2);
    expect(world.user.shown).toHaveLength(3);
  });

  it('is made again once and no more: a server that rejects every client ends the flow (REG-06)', async () => {
    const world = await signedInBefore();
    world.servers.respond('token', () => Response.json({ error: 'invalid_client' }, { status: 401 }), { times: 99 });
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'client_rejected', details: { oauthError: 'invalid_client' } });
    expect(registrations(world)).toHaveLength(2);
  });

  it('is never made in place of pre-registered credentials that are rejected (REG-06)', async () => {
    const known = { issuer: 'https://login.example.com', client_id: 'pre', client_secret: 'SECRET-old' };
    const world = scene({
      authorizationServer: { clients: [{ client_id: 'pre', client_secret: 'SECRET-new' }] },
      client: { preregistered: [known] },
    });
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'client_rejected', action: 'reconfigure' });
    expect(registrations(world)).toEqual([]);
    expect(world.user.shown).toHaveLength(1);
  });
});

describe('a registration that is refused because of the redirect URI', () => {
  const refuse = (wanted: string) => (document: Document) =>
    document.application_type === wanted
      ? undefined
      : { error: 'invalid_redirect_uri', error_description: `only ${wanted} clients may use this redirect URI` };

  it('is tried once more with the other application_type (REG-07)', async () => {
    const world = scene({ authorizationServer: { registration: { refuse: refuse('web') } } });
    expect((await call(world)).status).toBe(200);
    expect(registrations(world).map((document) => document.application_type)).toEqual(['native', 'web']);
    expect(world.client.status.warning).toBeUndefined();
    expect(world.servers.violations).toEqual([]);
  });

  it('is tried once more with native for a web redirect (REG-07)', async () => {
    const clientMetadata = { redirect_uris: ['https://app.example.com/callback'] };
    const world = scene({ authorizationServer: { registration: { refuse: refuse('native') } } });
    const userAgent = scriptedUser((url) => world.servers.approve(url), 'https://app.example.com/callback');
    const client = world.another({ clientMetadata, userAgent });
    expect((await client.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(registrations(world).map((document) => document.application_type)).toEqual(['web', 'native']);
  });

  it("is tried once more with web for a scheme of the application's own (REG-07)", async () => {
    const redirectUri = 'com.example.app:/callback';
    const world = scene({ authorizationServer: { registration: { refuse: refuse('web') } } });
    const userAgent = scriptedUser((url) => world.servers.approve(url), redirectUri);
    const client = world.another({ clientMetadata: { redirect_uris: [redirectUri] }, userAgent });
    expect((await client.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(registrations(world).map((document) => document.application_type)).toEqual(['native', 'web']);
  });

  it('is reported with what the server said, if the other is refused too (REG-07)', async () => {
    const world = scene({ authorizationServer: { registration: { refuse: refuse('neither') } } });
    expect(await failureOfCall(call(world))).toMatchObject({
      code: 'registration_rejected',
      action: 'reconfigure',
      details: { oauthError: 'invalid_redirect_uri', oauthErrorDescription: 'only neither clients may use this redirect URI' },
    });
    expect(registrations(world)).toHaveLength(2);
  });

  it('is not tried again where it is refused for another reason (REG-07)', async () => {
    const refuseAll = () => ({ error: 'invalid_client_metadata', error_description: 'client_name is taken' });
    const world = scene({ authorizationServer: { registration: { refuse: refuseAll } } });
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'registration_rejected' });
    expect(registrations(world)).toHaveLength(1);
  });
});

const REGISTRATION_LEASE = recordKey('lease', 'registration', 'https://login.example.com', 'http://127.0.0.1:7777/callback');

describe('two clients on one store that start together', () => {
  it('register once, and use one registration (REG-08)', async () => {
    const world = scene();
    const clients = ['work', 'home', 'third'].map((account) => world.another({ account }));
    const calls = clients.map((client) => client.fetch(world.servers.resource.url, CALL));
    const responses = await whileTimePasses(world.clock, Promise.all(calls), 20);
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(registrations(world)).toHaveLength(1);
    expect(clients.map(({ status }) => status.registration).sort()).toEqual(['dynamic', 'stored', 'stored']);
    expect(world.servers.violations).toEqual([]);
  });

  it('register again, once, where the first did not succeed (REG-08)', async () => {
    const world = scene();
    world.servers.respond('registration', 400);
    const clients = ['work', 'home'].map((account) => world.another({ account }));
    const calls = clients.map((client) => client.fetch(world.servers.resource.url, CALL));
    const outcomes = await whileTimePasses(world.clock, Promise.allSettled(calls), 20);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(registrations(world)).toHaveLength(2);
    expect(world.servers.authorizationServer.registeredClients).toHaveLength(1);
  });

  it('do not wait for the other once its registration is there (REG-08)', async () => {
    const clock = simulatedClock();
    const elsewhere = watchedStore(memoryStore({ clock }));
    const first = scene({ store: elsewhere.store, clock });
    await call(first);
    const [key, record] = Object.entries(await elsewhere.contents()).find(([name]) => name.startsWith('registration/')) ?? [];
    if (key === undefined || record === undefined) throw new Error('a registration was to be stored');
    // Somebody registers, and holds the turn for as long as anyone looks.
    const world = scene({ authorizationServer: { clients: [{ client_id: 'client-1-of-login.example.com' }] } });
    expect(await world.store.acquireLease(REGISTRATION_LEASE, 'another process', 3_600_000)).toBeDefined();
    const pending = call(world);
    await world.clock.advance(2_000);
    await world.store.write(key, record);
    const response = await whileTimePasses(world.clock, pending, 100);
    expect(response.status).toBe(200);
    expect(registrations(world)).toEqual([]);
    expect(world.client.status.registration).toBe('stored');
    expect(world.servers.violations).toEqual([]);
  });

  it('give up on one that keeps its turn and registers nothing, and say what they waited for (REG-08)', async () => {
    const world = scene();
    expect(await world.store.acquireLease(REGISTRATION_LEASE, 'a process that hangs', 3_600_000)).toBeDefined();
    const failure = await whileTimePasses(world.clock, failureOfCall(call(world)));
    expect(failure).toMatchObject({ code: 'registration_busy', phase: 'registration', action: 'retry', retryable: true });
    expect(failure['message']).not.toContain('refresh');
    expect(registrations(world)).toEqual([]);
  });

  it('do not wait for one whose process has died while it registered (REG-08)', async () => {
    const world = scene();
    // Nobody releases this lease; it runs out.
    expect(await world.store.acquireLease(REGISTRATION_LEASE, 'a process that died', 4_000)).toBeDefined();
    const startedAt = world.clock.now();
    expect((await whileTimePasses(world.clock, call(world), 100)).status).toBe(200);
    expect(world.clock.now() - startedAt).toBeGreaterThanOrEqual(4_000);
    expect(world.clock.now() - startedAt).toBeLessThan(6_000);
    expect(world.servers.violations).toEqual([]);
  });
});
