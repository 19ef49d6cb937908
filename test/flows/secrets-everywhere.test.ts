import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Document } from '../fixtures/scripted/options.ts';
import { CALL, type Scene, type SceneOptions } from '../helpers/scripted-client.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { untilStep, whileTimePasses } from '../helpers/waiting.ts';
import { type WatchedScene, watchedScene } from '../helpers/watched-scene.ts';

const ISSUER = 'https://login.example.com';
const call = ({ client, servers }: Scene, body: string = CALL.body): Promise<Response> =>
  client.fetch(servers.resource.url, { ...CALL, body });
const needsWrite = { scopesFor: ({ body }: { readonly body: string }) => (body.includes('write') ? ['read', 'write'] : ['read']) };

/** Whatever a flow does, its secrets are in the vault and nowhere else. */
async function expectNoLeak(world: WatchedScene): Promise<void> {
  expect(await world.leaks()).toEqual([]);
  expect(world.outputs.inspected?.length).toBeGreaterThan(10);
  expect(world.outputs.statuses?.length).toBeGreaterThan(3);
}

async function login(options: SceneOptions = {}): Promise<WatchedScene> {
  const world = watchedScene(options);
  const response = await world.outcome(call(world));
  expect(world.outputs.errors).toEqual([]);
  expect(response?.status).toBe(200);
  expect(world.vaulted()).toContain('SECRET-access-token');
  return world;
}

const known = (method: string) => ({
  authorizationServer: { clients: [{ client_id: 'pre', client_secret: 'SECRET-client-secret', token_endpoint_auth_method: method }] },
  client: {
    preregistered: [{ issuer: ISSUER, client_id: 'pre', client_secret: 'SECRET-client-secret', token_endpoint_auth_method: method }],
  },
});

describe('a login leaves its secrets nowhere but in the vault', () => {
  it.each<[string, SceneOptions]>([
    ['without client authentication', {}],
    ['with a secret from registration, sent as Basic', { authorizationServer: { registration: { authMethod: 'client_secret_basic' } } }],
    ['with a secret from registration, sent in the body', { authorizationServer: { registration: { authMethod: 'client_secret_post' } } }],
    ['with a pre-registered secret, sent as Basic', known('client_secret_basic') as SceneOptions],
    ['with a pre-registered secret, sent in the body', known('client_secret_post') as SceneOptions],
    [
      'with a metadata document',
      { authorizationServer: { metadataDocuments: true }, client: { clientMetadataUrl: 'https://app.example.com/client.json' } },
    ],
    ['on the legacy path', { resource: { metadataAt: [] }, authorizationServer: { issuer: 'https://mcp.example.com' } }],
    ['of a server that rotates nothing', { authorizationServer: { refreshTokens: 'keep' } }],
    [
      'of a server that answers with more than it should',
      {
        authorizationServer: {
          tokenResponse: (document: Document) => ({ ...document, id_token: 'SECRET-id-token', client_secret: 'SECRET-again' }),
          registration: { response: (document) => ({ ...document, registration_access_token: 'SECRET-registration-access-token' }) },
        },
      },
    ],
  ])('%s (SEC-01)', async (_what, options) => {
    await expectNoLeak(await login(options));
  });

  it('with private_key_jwt: neither key nor assertion (SEC-01)', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const secretJwk = await exportJWK(privateKey);
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1' }] };
    const world = await login({
      // Assertions carry the time of the platform.
      clock: simulatedClock(Date.now()),
      authorizationServer: { clients: [{ client_id: 'pre', token_endpoint_auth_method: 'private_key_jwt', jwks }] },
      client: { preregistered: [{ issuer: ISSUER, client_id: 'pre', privateKey: { key: privateKey, kid: 'k1' } }] },
    });
    const assertions = world.servers.requestsFor('token').map(({ form }) => form.get('client_assertion') ?? '');
    expect(assertions[0]?.split('.')).toHaveLength(3);
    for (const secret of [...assertions, String(secretJwk.d)]) (world.servers.markers.secrets as Set<string>).add(secret);
    await expectNoLeak(world);
  });

  it("with the embedder's own function (SEC-01)", async () => {
    const options = known('client_secret_post');
    const world = await login({
      ...options,
      client: {
        preregistered: [{ issuer: ISSUER, client_id: 'pre' }],
        authenticateClient: ({ body }) => body.set('client_secret', 'SECRET-client-secret'),
      },
    } as SceneOptions);
    await expectNoLeak(world);
  });

  it('with secrets and records in one store: outside of vault keys there are none (SEC-01)', async () => {
    const world = watchedScene({ client: {} });
    const single = world.another({ vault: undefined, account: 'single' });
    await world.outcome(single.fetch(world.servers.resource.url, CALL));
    expect(single.status.step).toBe('authorized');
    // That store holds the vault, too: what leaks must all be in entries of the vault.
    const leaks = await world.leaks();
    expect(leaks.filter(({ path }) => !path.startsWith('outputs.records.'))).toEqual([]);
    const elsewhere = leaks.filter(({ path }) => path.startsWith('outputs.records.now') && !path.includes('.vault/'));
    expect(elsewhere).toEqual([]);
  });
});

describe('what follows a login leaves no secret either', () => {
  it('a refresh, with rotation, before a request and after a 401 (SEC-01)', async () => {
    const world = await login();
    await world.clock.advance(3_590_000);
    await world.outcome(call(world));
    world.servers.authorizationServer.expireAccessTokens();
    await world.outcome(call(world));
    expect(world.servers.requestsFor('token').filter(({ form }) => form.has('refresh_token'))).toHaveLength(2);
    await expectNoLeak(world);
  });

  it('a step-up, and one that is not granted (SEC-01)', async () => {
    const world = await login({ resource: needsWrite });
    await world.outcome(call(world, '{"method":"write"}'));
    await expectNoLeak(world);
    const refused = await login({ resource: needsWrite, authorizationServer: { grantScopes: () => ['read'] } });
    await refused.outcome(call(refused, '{"method":"write"}'));
    expect(refused.outputs.errors).toHaveLength(1);
    await expectNoLeak(refused);
  });

  it('signing out, and forgetting the registration with its secret (SEC-01)', async () => {
    const world = await login({ authorizationServer: { registration: { authMethod: 'client_secret_post' } } });
    await world.outcome(world.client.signOut({ forgetRegistration: true }));
    await expectNoLeak(world);
  });

  it('another process: restoring, completing a callback, entering a client with its secret (SEC-01)', async () => {
    const world = watchedScene({ act: () => undefined });
    const pending = world.outcome(call(world));
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    await world.client.close();
    await pending;
    const another = world.another();
    await world.outcome(another.completeAuthorization(await world.servers.approve(authorizationUrl)));
    expect(another.status.step).toBe('authorized');
    await expectNoLeak(world);
    const asking = watchedScene({
      authorizationServer: {
        registration: false,
        clients: [{ client_id: 'given', client_secret: 'SECRET-given', token_endpoint_auth_method: 'client_secret_basic' }],
      },
    });
    await asking.outcome(call(asking));
    await asking.outcome(asking.client.provideClient({ client_id: 'given', client_secret: 'SECRET-given' }));
    await untilStep(asking.client, 'authorized');
    await expectNoLeak(asking);
  });
});

describe('failures of every kind leave no secret', () => {
  type Break = (world: WatchedScene) => unknown;
  const quoting = (status: number, error: string) => async (request: { readonly form: URLSearchParams; readonly headers: Headers }) => {
    const basic = atob(/^Basic (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1] ?? '');
    const sent = `${[...request.form].map(([name, value]) => `${name}=${value}`).join(' ')} ${basic} ${request.headers.get('authorization') ?? ''}`;
    return Response.json({ error, error_description: `rejected: ${sent}` }, { status });
  };

  it.each<[string, Break]>([
    ['metadata cannot be had', ({ servers }) => servers.respond('server-metadata', 500, { times: 99 })],
    ['registration is refused', ({ servers }) => servers.respond('registration', 400, { times: 99 })],
    [
      'a registration response is unusable, though it has a secret',
      ({ servers }) => servers.respond('registration', () => Response.json({ client_secret: 'SECRET-unusable' }), { times: 99 }),
    ],
    ['the code is rejected, and quoted', ({ servers }) => servers.respond('token', quoting(400, 'invalid_grant'), { times: 99 })],
    ['the client is rejected, and quoted', ({ servers }) => servers.respond('token', quoting(401, 'invalid_client'), { times: 99 })],
    [
      'the token endpoint quotes what it was sent with a 500',
      ({ servers }) => servers.respond('token', quoting(500, 'server_error'), { times: 99 }),
    ],
    [
      'the token endpoint breaks the connection',
      ({ servers }) => servers.respond('token', () => Promise.reject(new Error('SECRET-in-an-error')), { times: 99 }),
    ],
    [
      'tokens come with an unknown type',
      ({ servers }) => servers.respond('token', () => Response.json({ access_token: 'SECRET-unknown', token_type: 'mac' }), { times: 99 }),
    ],
    [
      'tokens come without what they need',
      ({ servers }) => servers.respond('token', () => Response.json({ refresh_token: 'SECRET-lonely' }), { times: 99 }),
    ],
    [
      'tokens come in a body that is no JSON',
      ({ servers }) => servers.respond('token', () => new Response('access_token SECRET-raw'), { times: 99 }),
    ],
    [
      'the callback names another issuer',
      ({ servers }) => Object.assign(servers.authorizationServer.options, { iss: 'https://evil.example' }),
    ],
    ['the user refuses', ({ servers }) => Object.assign(servers, { approve: servers.deny })],
    [
      'the resource rejects the token it was just issued',
      ({ servers }) => Object.assign(servers.resource.options, { acceptsTokens: false }),
    ],
  ])('where %s (SEC-01)', async (_what, breakIt) => {
    const world = watchedScene({ authorizationServer: { registration: { authMethod: 'client_secret_basic' } } });
    breakIt(world);
    await whileTimePasses(world.clock, world.outcome(call(world)));
    expect(world.outputs.errors).toHaveLength(1);
    await expectNoLeak(world);
  });

  it('where a refresh is rejected, or fails, and its token is quoted (SEC-01)', async () => {
    for (const [status, error] of [
      [400, 'invalid_grant'],
      [503, 'temporarily_unavailable'],
    ] as const) {
      const world = await login({ act: (servers, url) => servers.approve(url) });
      world.servers.authorizationServer.expireAccessTokens();
      world.servers.respond('token', quoting(status, error), { times: 99 });
      await whileTimePasses(world.clock, world.outcome(call(world)));
      expect(world.outputs.errors).toHaveLength(1);
      await expectNoLeak(world);
    }
  });

  it('where the resource quotes the token in its challenge (SEC-01)', async () => {
    const world = await login();
    const token = await world.client.accessToken();
    const header = `Bearer error="invalid_token", error_description="unknown token ${token?.accessToken}", scope="read ${token?.accessToken}", resource_metadata="https://mcp.example.com/x?token=${token?.accessToken}"`;
    world.servers.authorizationServer.expireAccessTokens();
    world.servers.respond('resource', () => new Response('', { status: 401, headers: { 'www-authenticate': header } }));
    await world.outcome(call(world));
    expect(world.client.status.step).toBe('authorized');
    await expectNoLeak(world);
  });

  it('where a callback is forged, late, doubled or malformed (SEC-01)', async () => {
    const world = watchedScene({ act: () => undefined });
    const pending = world.outcome(call(world));
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    const callback = await world.servers.approve(authorizationUrl);
    for (const wrong of [
      'http://127.0.0.1:7777/callback?state=SECRET-forged&code=SECRET-forged',
      `${callback}&code=SECRET-second`,
      `${callback}&access_token=SECRET-implicit`,
      'SECRET-no-url',
    ]) {
      await world.outcome(world.client.completeAuthorization(wrong));
    }
    await world.outcome(world.client.completeAuthorization(callback));
    await world.outcome(world.client.completeAuthorization(callback));
    await pending;
    expect(world.outputs.errors).toHaveLength(5);
    await expectNoLeak(world);
  });

  it('where the store fails while it is given secrets, and records are damaged (SEC-01)', async () => {
    const world = watchedScene();
    const broken = { ...world.store, write: () => Promise.reject(new Error('SECRET-of-the-driver: duplicate key')) };
    const failing = world.another({ vault: broken, account: 'failing' });
    await whileTimePasses(world.clock, world.outcome(failing.fetch(world.servers.resource.url, CALL)));
    expect(world.outputs.errors).toHaveLength(1);
    await world.store.write('flow/damaged/https%3A%2F%2Fmcp.example.com%2Fmcp', {
      version: 1,
      value: 'x',
      context: { grant: 'SHOWN-NOWHERE' },
      writtenAtEpochMs: 0,
    });
    const damaged = world.another({ account: 'damaged' });
    await world.outcome(damaged.restore());
    expect(world.outputs.errors).toHaveLength(2);
    expect(JSON.stringify(world.outputs.errors)).not.toContain('SHOWN-NOWHERE');
    await expectNoLeak(world);
  });

  it('where parts of the embedder throw what they hold (SEC-01)', async () => {
    const thrower = (): never => {
      throw new Error('SECRET-of-the-embedder');
    };
    for (const client of [
      { userAgent: { open: async () => thrower() } },
      { chooseAuthorizationServer: thrower },
      { validateResource: thrower },
      { allowUrl: thrower },
      { authenticateClient: thrower },
      { random: thrower },
    ]) {
      const world = watchedScene({ client, moreAuthorizationServers: [{ issuer: 'https://second.example.com' }] });
      await whileTimePasses(world.clock, world.outcome(call(world)));
      expect(world.outputs.errors, Object.keys(client)[0]).toHaveLength(1);
      await expectNoLeak(world);
    }
  });
});
