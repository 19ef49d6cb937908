import { describe, expect, it } from 'vitest';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, untilStep } from '../helpers/waiting.ts';

const ISSUER = 'https://login.example.com';
const DOCUMENT = 'https://app.example.com/client.json';
const PRE = { issuer: ISSUER, client_id: 'pre', client_secret: 'SECRET-of-pre' };

const call = ({ client, servers }: Scene): Promise<Response> => client.fetch(servers.resource.url, CALL);
const identifierUsed = ({ servers }: Scene): string | null | undefined =>
  servers.requests.findLast(({ purpose }) => purpose === 'authorization')?.url.searchParams.get('client_id');

/** Everything a client could use: what comes first is what is tested. */
const ALL = { authorizationServer: { clients: [PRE], metadataDocuments: true }, client: { clientMetadataUrl: DOCUMENT } } as const;

describe('where the client identifier comes from', () => {
  it('is the pre-registered client of this issuer, before everything else (REG-01)', async () => {
    const world = scene({ ...ALL, client: { ...ALL.client, preregistered: [PRE] } });
    expect((await call(world)).status).toBe(200);
    expect(identifierUsed(world)).toBe('pre');
    expect(world.client.status.registration).toBe('preregistered');
    expect(world.servers.wire()).toHaveLength(5);
    expect(world.servers.violations).toEqual([]);
  });

  it('is the stored registration of this issuer next, although a metadata document would do by now (REG-01)', async () => {
    const world = scene({ authorizationServer: { refreshTokens: 'none' } });
    await call(world);
    Object.assign(world.servers.authorizationServer.options, { metadataDocuments: true });
    world.servers.authorizationServer.expireAccessTokens();
    const another = world.another({ clientMetadataUrl: DOCUMENT });
    await world.clock.advance(3_600_000);
    expect((await another.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(identifierUsed(world)).toBe('client-1-of-login.example.com');
    expect(another.status.registration).toBe('stored');
    expect(world.servers.requestsFor('registration')).toHaveLength(1);
  });

  it('is the client ID metadata document where the server takes one: five requests, none to register (REG-01)', async () => {
    const world = scene(ALL);
    expect((await call(world)).status).toBe(200);
    expect(identifierUsed(world)).toBe(DOCUMENT);
    expect(world.client.status.registration).toBe('metadata-document');
    expect(world.servers.wire()).toEqual([
      'POST /mcp 401',
      'GET /.well-known/oauth-protected-resource/mcp 200',
      'GET https://login.example.com/.well-known/oauth-authorization-server 200',
      'POST https://login.example.com/token 200',
      'POST /mcp 200',
    ]);
    expect(world.servers.violations).toEqual([]);
  });

  it('is dynamic registration where the server takes no document (REG-01)', async () => {
    const world = scene({ client: { clientMetadataUrl: DOCUMENT } });
    expect((await call(world)).status).toBe(200);
    expect(identifierUsed(world)).toBe('client-1-of-login.example.com');
    expect(world.client.status.registration).toBe('dynamic');
  });
});

describe('a server that offers no way to register', () => {
  const noWay = { authorizationServer: { registration: false, clients: [{ client_id: 'given' }] } } as const;

  it('has the person or the embedder asked: the waiting call is told so, and the flow completes with the answer (REG-01)', async () => {
    const world = scene(noWay);
    expect(await failureOfCall(call(world))).toMatchObject({
      code: 'client_identifier_required',
      action: 'provide-client-identifier',
      details: { issuer: ISSUER },
    });
    expect(world.client.status).toMatchObject({ step: 'awaiting-client', issuer: ISSUER });
    // Whoever calls meanwhile is told the same, without another request.
    const before = world.servers.requests.length;
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'client_identifier_required' });
    expect(await failureOfCall(world.client.authorize())).toMatchObject({ code: 'client_identifier_required' });
    expect(world.servers.requests).toHaveLength(before);
    await world.client.provideClient({ client_id: 'given' });
    await untilStep(world.client, 'authorized');
    expect(identifierUsed(world)).toBe('given');
    expect(world.client.status.registration).toBe('provided');
    expect((await call(world)).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });

  it('keeps the identifier that was entered, with its secret, for this issuer (REG-01)', async () => {
    const secret = { client_id: 'given', client_secret: 'SECRET-of-given', token_endpoint_auth_method: 'client_secret_basic' };
    const world = scene({ authorizationServer: { registration: false, clients: [secret], refreshTokens: 'none' } });
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'client_identifier_required' });
    await world.client.provideClient({ client_id: 'given', client_secret: 'SECRET-of-given' });
    await untilStep(world.client, 'authorized');
    world.servers.authorizationServer.expireAccessTokens();
    const another = world.another();
    expect((await another.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(another.status.registration).toBe('provided');
    expect(world.servers.violations).toEqual([]);
  });

  it('is still asked about in another process, which takes the answer (REG-01)', async () => {
    const world = scene(noWay);
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'client_identifier_required' });
    await world.client.close();
    const another = world.another();
    await another.restore();
    expect(await untilStep(another, 'awaiting-client')).toMatchObject({ issuer: ISSUER });
    await another.close();
    const third = world.another();
    await third.provideClient({ client_id: 'given' });
    await untilStep(third, 'authorized');
    expect(world.servers.violations).toEqual([]);
  });

  it('is not asked about any more once it offers registration, or another process has the answer (REG-01)', async () => {
    const world = scene(noWay);
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'client_identifier_required' });
    await world.client.close();
    Object.assign(world.servers.authorizationServer.options, { registration: true });
    await world.clock.advance(3_600_000);
    const another = world.another();
    await another.restore();
    await untilStep(another, 'authorized');
    expect(another.status.registration).toBe('dynamic');
    expect(world.servers.violations).toEqual([]);
  });

  it('can be given up: the next request asks anew (REG-01)', async () => {
    const world = scene(noWay);
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'client_identifier_required' });
    world.client.cancel();
    expect(world.client.status.step).toBe('cancelled');
    expect(await failureOfCall(world.client.provideClient({ client_id: 'given' }))).toMatchObject({ code: 'client_not_expected' });
    const before = world.servers.requests.length;
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'client_identifier_required' });
    expect(world.servers.requests.length).toBeGreaterThan(before);
  });
});
