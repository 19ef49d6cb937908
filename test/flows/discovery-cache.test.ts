import { describe, expect, it } from 'vitest';
import { recordKey } from '../../src/records/keys.ts';
import type { RecordedRequest } from '../fixtures/scripted/recording.ts';
import { CALL, type Scene, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { failureOfCall } from '../helpers/waiting.ts';

const HOUR_MS = 3_600_000;
const call = ({ client, servers }: Scene): Promise<Response> => client.fetch(servers.resource.url, CALL);

const metadataLooks = ({ servers }: Scene): readonly string[] =>
  servers.requestsFor('server-metadata').map(({ url, status }) => `${url.origin} ${status}`);

/** A client that has been authorized once, and whose credential has ended since. */
async function afterOneLogin(options: SceneOptions = {}): Promise<Scene> {
  const world = scene(options);
  await call(world);
  for (const server of world.servers.authorizationServers) {
    server.expireAccessTokens();
    server.revokeRefreshTokens();
  }
  expect(metadataLooks(world)).toHaveLength(1);
  return world;
}

describe('authorization server metadata that was read before', () => {
  it('is used again while it is fresh, by other clients on the store too (ASM-07)', async () => {
    const world = await afterOneLogin();
    expect((await call(world)).status).toBe(200);
    const another = world.another({ account: 'another' });
    expect((await another.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(metadataLooks(world)).toHaveLength(1);
  });

  it('is read again once it is stale by the age the server gave it (ASM-07)', async () => {
    const world = await afterOneLogin({ authorizationServer: { metadataHeaders: { 'cache-control': 'public, max-age=60' } } });
    await world.clock.advance(59_000);
    await call(world);
    expect(metadataLooks(world)).toHaveLength(1);
    world.servers.authorizationServer.expireAccessTokens();
    world.servers.authorizationServer.revokeRefreshTokens();
    await world.clock.advance(2_000);
    await call(world);
    expect(metadataLooks(world)).toHaveLength(2);
  });

  it('is read again after an hour if the server gave it no age (ASM-07)', async () => {
    const world = await afterOneLogin();
    await world.clock.advance(HOUR_MS);
    await call(world);
    expect(metadataLooks(world)).toHaveLength(2);
  });

  it('is validated by its etag when it is stale, and good for as long again if it has not changed (ASM-07)', async () => {
    const asked: (string | null)[] = [];
    const world = scene({ authorizationServer: { metadataHeaders: { etag: '"v1"', 'cache-control': 'max-age=60' } } });
    world.servers.respond(
      'server-metadata',
      (request, proceed) => {
        asked.push(request.headers.get('if-none-match'));
        return request.headers.get('if-none-match') === '"v1"' ? new Response(null, { status: 304 }) : proceed();
      },
      { times: 99 },
    );
    const loginAgain = async (): Promise<void> => {
      world.servers.authorizationServer.expireAccessTokens();
      world.servers.authorizationServer.revokeRefreshTokens();
      expect((await call(world)).status).toBe(200);
    };
    await loginAgain();
    await world.clock.advance(61_000);
    await loginAgain();
    expect(asked).toEqual([null, '"v1"']);
    await world.clock.advance(59_000);
    await loginAgain();
    expect(asked).toHaveLength(2);
  });

  it('is read again when the token endpoint it names is gone, and the login succeeds at the new one (ASM-07)', async () => {
    const world = await afterOneLogin({ authorizationServer: { refreshTokens: 'none' } });
    moveTokenEndpoint(world);
    expect((await call(world)).status).toBe(200);
    expect(metadataLooks(world)).toHaveLength(2);
    // The code that met the 404 is not sent a second time: the user is asked for another.
    expect(tokenRequests(world)).toEqual(['/token 200', '/token 404', '/v2/token 200']);
    expect(world.user.shown).toHaveLength(3);
    expect(world.servers.violations).toEqual([]);
  });

  it('is read again when a refresh finds the token endpoint gone, and nobody is asked (ASM-07)', async () => {
    const world = scene();
    await call(world);
    await world.client.close();
    moveTokenEndpoint(world);
    await world.clock.advance(HOUR_MS - 10_000);
    const another = world.another();
    expect((await another.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(tokenRequests(world)).toEqual(['/token 200', '/token 404', '/v2/token 200']);
    expect(world.user.shown).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('is read again when the registration endpoint it names is gone (ASM-07)', async () => {
    const world = await afterOneLogin();
    await world.client.signOut({ forgetRegistration: true });
    moveEndpoint(world, 'registration_endpoint', '/register', '/v2/register');
    expect((await call(world)).status).toBe(200);
    expect(metadataLooks(world)).toHaveLength(2);
    expect(world.servers.violations).toEqual([]);
  });

  it('ends the flow if what is read anew is the same: the user is not asked once more in vain (ASM-07)', async () => {
    const world = await afterOneLogin({ authorizationServer: { refreshTokens: 'none' } });
    world.servers.respond('token', 404, { times: 99 });
    const failure = await failureOfCall(call(world));
    expect(failure).toMatchObject({ code: 'token_request_rejected', details: { status: 404 } });
    expect(metadataLooks(world)).toHaveLength(2);
    // Once for the first login, once for the code that met the 404.
    expect(world.user.shown).toHaveLength(2);
  });

  it('serves the issuer it was read from and no other (ASM-07)', async () => {
    const world = await afterOneLogin({
      resource: { authorizationServers: ['https://login.example.com'] },
      moreAuthorizationServers: [{ issuer: 'https://login.example.com/tenant' }],
    });
    world.servers.resource.options.authorizationServers = ['https://login.example.com/tenant'];
    expect((await call(world)).status).toBe(200);
    expect(world.servers.requestsFor('server-metadata').map(({ url }) => url.pathname)).toEqual([
      '/.well-known/oauth-authorization-server',
      '/.well-known/oauth-authorization-server/tenant',
    ]);
    expect(world.servers.violations).toEqual([]);
  });

  it('is not used if its record was moved to another issuer (ASM-07)', async () => {
    const world = await afterOneLogin({
      resource: { authorizationServers: ['https://login.example.com'] },
      moreAuthorizationServers: [{ issuer: 'https://second.example.com' }],
    });
    const stolen = await world.store.read(recordKey('server-metadata-1', 'https://login.example.com'));
    if (stolen === undefined) throw new Error('the metadata was to be in the store');
    await world.store.write(recordKey('server-metadata-1', 'https://second.example.com'), stolen.value);
    world.servers.resource.options.authorizationServers = ['https://second.example.com'];
    expect((await call(world)).status).toBe(200);
    expect(metadataLooks(world)).toEqual(['https://login.example.com 200', 'https://second.example.com 200']);
    expect(world.servers.violations).toEqual([]);
  });

  it('is not needed where the embedder knows the endpoints (ASM-07)', async () => {
    const issuer = 'https://login.example.com';
    const metadata = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      registration_endpoint: `${issuer}/register`,
      code_challenge_methods_supported: ['S256'],
    };
    const world = scene({ authorizationServer: { metadataAt: [] }, client: { serverMetadata: { [issuer]: metadata } } });
    expect((await call(world)).status).toBe(200);
    expect(metadataLooks(world)).toEqual([]);
  });
});

const tokenRequests = ({ servers }: Scene): readonly string[] =>
  servers
    .requestsFor()
    .filter(({ url }) => url.pathname.endsWith('/token') && url.search === '')
    .map(({ url, status }) => `${url.pathname} ${status}`);

const moveTokenEndpoint = (world: Scene): void => moveEndpoint(world, 'token_endpoint', '/token', '/v2/token');

/** The server moves one endpoint: the old place answers 404, the metadata names the new one. */
function moveEndpoint({ servers }: Scene, name: string, from: string, to: string): void {
  const { issuer, options } = servers.authorizationServer;
  const behind = `${issuer}${from}?moved`;
  options.metadata = (document) => ({ ...document, [name]: `${issuer}${to}` });
  servers.respond(({ url }) => url.pathname === from && url.search === '', 404, { times: 99 });
  const forward = async ({ method, headers, body }: RecordedRequest) => {
    const answer = await servers.fetch(behind, { method, headers, body });
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  };
  servers.respond(({ url }) => url.pathname === to, forward, { times: 99 });
}
