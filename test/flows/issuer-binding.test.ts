import { describe, expect, it } from 'vitest';
import { recordKey } from '../../src/records/keys.ts';
import type { JsonObject } from '../../src/stores/contract.ts';
import type { Document } from '../fixtures/scripted/options.ts';
import { CALL, type Scene, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, untilStep } from '../helpers/waiting.ts';

const FIRST = 'https://login.example.com';
const SECOND = 'https://second.example.com';

const call = ({ client, servers }: Scene): Promise<Response> => client.fetch(servers.resource.url, CALL);

/** Two authorization servers, of which the resource names the first. */
function twoServers(options: SceneOptions = {}): Scene {
  return scene({
    ...options,
    resource: { authorizationServers: [FIRST], ...options.resource },
    moreAuthorizationServers: [{ issuer: SECOND }],
  });
}

/** The resource moves to the other authorization server, which alone vouches for it from now on. */
function moveTo({ servers }: Scene, issuer: string): void {
  servers.resource.options.authorizationServers = [issuer];
  for (const server of servers.authorizationServers) server.expireAccessTokens();
}

const originsAsked = ({ servers }: Scene, from: number): ReadonlySet<string> =>
  new Set(
    servers.requests
      .slice(from)
      .filter(({ url }) => url.origin !== 'https://mcp.example.com')
      .map(({ url }) => url.origin),
  );

describe('what an authorization server gave out', () => {
  it('is stored under its issuer, and another gets a registration, a code and tokens of its own (ISS-01)', async () => {
    const world = twoServers({ authorizationServer: { registration: { authMethod: 'client_secret_post' } } });
    await call(world);
    moveTo(world, SECOND);
    expect((await call(world)).status).toBe(200);
    const [first, second] = world.servers.authorizationServers;
    expect(first?.registeredClients.map(({ clientId }) => clientId)).toEqual(['client-1-of-login.example.com']);
    expect(second?.registeredClients.map(({ clientId }) => clientId)).toEqual(['client-1-of-second.example.com']);
    const resource = world.servers.resource.url;
    for (const issuer of [FIRST, SECOND]) {
      const record = await world.store.read(recordKey('credential', resource, 'default', issuer));
      expect(record?.value['facts']).toMatchObject({ issuer, clientId: `client-1-of-${new URL(issuer).hostname}` });
    }
    // A secret, code or token at the wrong server would be a violation.
    expect(world.servers.violations).toEqual([]);
  });

  it('is not used if its record was moved under another issuer (ISS-01)', async () => {
    const world = twoServers();
    await call(world);
    const resource = world.servers.resource.url;
    const stolen = await world.store.read(recordKey('credential', resource, 'default', FIRST));
    await world.store.write(recordKey('credential', resource, 'default', SECOND), stolen?.value as JsonObject);
    moveTo(world, SECOND);
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'record_unreadable', action: 'reconfigure' });
    expect(world.servers.requests.filter(({ url, purpose }) => url.origin === SECOND && purpose === 'token')).toEqual([]);
  });
});

describe('a resource that has changed its authorization server', () => {
  it('sees the old token once more, and nothing of the old issuer after that (ISS-02)', async () => {
    const world = twoServers();
    await call(world);
    moveTo(world, SECOND);
    const before = world.servers.requests.length;
    expect((await call(world)).status).toBe(200);
    expect(originsAsked(world, before)).toEqual(new Set([SECOND]));
    expect(world.client.status).toMatchObject({ step: 'authorized', issuer: SECOND, registration: 'dynamic' });
    expect(world.servers.violations).toEqual([]);
  });

  it('gets no token at all while the user has not approved at the new one (ISS-02)', async () => {
    const world = twoServers({ act: () => undefined });
    const first = call(world);
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    await world.client.completeAuthorization(await world.servers.approve(authorizationUrl));
    await first;
    moveTo(world, SECOND);
    const pending = call(world);
    await untilStep(world.client, 'awaiting-user');
    world.client.cancel();
    expect(await failureOfCall(pending)).toMatchObject({ code: 'cancelled' });
    expect(await world.client.accessToken()).toBeUndefined();
    // The old token was refused before; it is not tried again after the cancellation.
    const before = world.servers.requests.length;
    const again = call(world);
    await untilStep(world.client, 'awaiting-user');
    const sent = world.servers.requests.slice(before).map(({ headers }) => headers.get('authorization'));
    expect(sent.filter((authorization) => authorization !== null)).toEqual([]);
    world.client.cancel();
    expect(await failureOfCall(again)).toMatchObject({ code: 'cancelled' });
  });

  it('leaves no token behind when its user signs out: not of the old issuer, nor in the middle of the new login (OUT-01)', async () => {
    const world = twoServers();
    await call(world);
    moveTo(world, SECOND);
    const another = world.another({ userAgent: undefined });
    const pending = another.fetch(world.servers.resource.url, CALL);
    pending.catch(() => {});
    await untilStep(another, 'awaiting-user');
    await another.signOut();
    expect((await world.another().restore()).step).toBe('unauthorized');
    for (const issuer of [FIRST, SECOND]) {
      expect(await world.store.read(recordKey('credential', world.servers.resource.url, 'default', issuer))).toBeUndefined();
    }
  });

  it('finds the old records again when it moves back: no registration, no user (ISS-02)', async () => {
    const world = twoServers();
    await call(world);
    moveTo(world, SECOND);
    await call(world);
    moveTo(world, FIRST);
    const before = world.servers.requests.length;
    expect((await call(world)).status).toBe(200);
    expect(world.servers.requests.slice(before).map(({ purpose }) => purpose)).toEqual([
      'resource',
      'resource-metadata',
      // The refresh token of the first issuer, kept under it.
      'token',
      'resource',
    ]);
    expect(world.client.status.issuer).toBe(FIRST);
    expect(world.user.shown).toHaveLength(2);
    expect(world.servers.violations).toEqual([]);
  });

  it('sees the client ID metadata document again at the new issuer: that is portable (ISS-02, ISS-06)', async () => {
    const clientMetadataUrl = 'https://app.example.com/client.json';
    const world = scene({
      resource: { authorizationServers: [FIRST] },
      authorizationServer: { metadataDocuments: true },
      moreAuthorizationServers: [{ issuer: SECOND, metadataDocuments: true }],
      client: { clientMetadataUrl },
    });
    await call(world);
    moveTo(world, SECOND);
    expect((await call(world)).status).toBe(200);
    const asked = world.servers.requests.filter(({ purpose }) => purpose === 'authorization');
    expect(asked.map(({ url }) => `${url.origin} ${url.searchParams.get('client_id')}`)).toEqual([
      `${FIRST} ${clientMetadataUrl}`,
      `${SECOND} ${clientMetadataUrl}`,
    ]);
  });

  it('sees no identifier that another registration gave out, though it looks like the URL of a document (ISS-06)', async () => {
    const looksLikeOne = { response: (document: Document) => ({ ...document, client_id: 'https://login.example.com/clients/1' }) };
    const world = scene({
      resource: { authorizationServers: [FIRST] },
      authorizationServer: { registration: looksLikeOne, metadataDocuments: true },
      moreAuthorizationServers: [{ issuer: SECOND, metadataDocuments: true }],
    });
    await call(world);
    moveTo(world, SECOND);
    expect((await call(world)).status).toBe(200);
    const [asked] = world.servers.requests.filter(({ purpose, url }) => purpose === 'authorization' && url.origin === SECOND);
    expect(asked?.url.searchParams.get('client_id')).toBe('client-1-of-second.example.com');
    expect(world.servers.violations).toEqual([]);
  });
});

describe('the legacy path', () => {
  const origin = 'https://mcp.example.com';

  it('is bound to the issuer of the metadata found there, not to what the resource named before (ISS-03)', async () => {
    const world = scene({
      resource: { authorizationServers: [FIRST] },
      moreAuthorizationServers: [{ issuer: origin }],
    });
    await call(world);
    // The resource loses its metadata: now it is its own authorization server.
    Object.assign(world.servers.resource.options, { metadataAt: [] });
    for (const server of world.servers.authorizationServers) server.expireAccessTokens();
    const before = world.servers.requests.length;
    expect((await call(world)).status).toBe(200);
    expect(world.client.status.issuer).toBe(origin);
    expect(originsAsked(world, before)).toEqual(new Set());
    expect(world.servers.requests.slice(before).map(({ purpose }) => purpose)).toContain('registration');
    expect(world.servers.violations).toEqual([]);
  });

  it('refuses metadata there that names another issuer: no stored credential of that issuer is used (ISS-03)', async () => {
    const world = scene({ resource: { authorizationServers: [FIRST] }, moreAuthorizationServers: [{ issuer: origin }] });
    await call(world);
    Object.assign(world.servers.resource.options, { metadataAt: [] });
    for (const server of world.servers.authorizationServers) server.expireAccessTokens();
    // The resource claims to be the issuer whose refresh token and client are in the store.
    Object.assign(world.servers.authorizationServers[1]?.options ?? {}, {
      metadata: (document: Document) => ({ ...document, issuer: FIRST }),
    });
    const before = world.servers.requests.length;
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'issuer_mismatch', details: { expected: origin, received: FIRST } });
    expect(world.servers.requests.slice(before).map(({ purpose }) => purpose)).not.toContain('token');
  });

  it('keeps a registration made at the fallback endpoint under the origin it belongs to, and no other issuer sees it (ISS-04)', async () => {
    const world = scene({
      resource: { metadataAt: [] },
      authorizationServer: { issuer: origin, metadataAt: [], issAdvertised: undefined },
      moreAuthorizationServers: [{ issuer: SECOND }],
    });
    await call(world);
    expect(world.servers.requestsFor('registration').map(({ url }) => url.href)).toEqual([`${origin}/register`]);
    // The same origin publishes metadata: the endpoint was its own, so the registration is good.
    Object.assign(world.servers.authorizationServer.options, { metadataAt: ['oauth'] });
    world.servers.authorizationServer.expireAccessTokens();
    world.servers.authorizationServer.revokeRefreshTokens();
    expect((await call(world)).status).toBe(200);
    expect(world.servers.requestsFor('registration')).toHaveLength(1);
    // The resource names another issuer: that registration stays where it was made.
    Object.assign(world.servers.resource.options, { metadataAt: ['path'], authorizationServers: [SECOND] });
    world.servers.authorizationServer.expireAccessTokens();
    expect((await call(world)).status).toBe(200);
    expect(world.servers.requestsFor('registration').map(({ url }) => url.href)).toEqual([`${origin}/register`, `${SECOND}/register`]);
    expect(world.servers.violations).toEqual([]);
  });
});

describe('an issuer named in a response', () => {
  it('of registration or token endpoint binds nothing (ISS-05)', async () => {
    const lying = (document: Document): Document => ({ ...document, issuer: SECOND, iss: SECOND });
    const world = twoServers({ authorizationServer: { registration: { response: lying }, tokenResponse: lying } });
    await call(world);
    expect(world.client.status.issuer).toBe(FIRST);
    const resource = world.servers.resource.url;
    expect(await world.store.read(recordKey('credential', resource, 'default', SECOND))).toBeUndefined();
    expect((await world.store.read(recordKey('credential', resource, 'default', FIRST)))?.value['facts']).toMatchObject({ issuer: FIRST });
    moveTo(world, SECOND);
    expect((await call(world)).status).toBe(200);
    expect(world.servers.authorizationServers[1]?.registeredClients).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });
});

describe('credentials that were registered beforehand', () => {
  const client = { issuer: FIRST, client_id: 'pre', client_secret: 'SECRET-of-pre' };

  it('with one issuer are not shown to another, and no other way is taken instead (ISS-07)', async () => {
    const world = twoServers({ client: { preregistered: [client] }, authorizationServer: { clients: [client] } });
    await call(world);
    moveTo(world, SECOND);
    const before = world.servers.requests.length;
    const failure = await failureOfCall(call(world));
    expect(failure).toMatchObject({
      code: 'client_issuer_mismatch',
      details: { expected: FIRST, received: SECOND },
      action: 'reconfigure',
    });
    expect(failure.message).toContain(FIRST);
    expect(failure.message).toContain(SECOND);
    expect(world.servers.requests.slice(before).map(({ purpose }) => purpose)).toEqual([
      'resource',
      'resource-metadata',
      'server-metadata',
    ]);
    expect(world.servers.authorizationServers[1]?.registeredClients).toEqual([]);
  });

  it('without an issuer belong to the first they were used with, in other processes too (ISS-07)', async () => {
    const { issuer: _, ...anywhere } = client;
    const world = twoServers({ client: { preregistered: [anywhere] }, authorizationServer: { clients: [client] } });
    await call(world);
    moveTo(world, SECOND);
    const another = world.another();
    expect(await failureOfCall(another.fetch(world.servers.resource.url, CALL))).toMatchObject({
      code: 'client_issuer_mismatch',
      details: { expected: FIRST, received: SECOND },
    });
    expect(world.servers.violations).toEqual([]);
  });

  it('with both issuers are each shown to their own (ISS-07)', async () => {
    const other = { issuer: SECOND, client_id: 'other', client_secret: 'SECRET-of-other' };
    const world = scene({
      resource: { authorizationServers: [FIRST] },
      authorizationServer: { clients: [client] },
      moreAuthorizationServers: [{ issuer: SECOND, clients: [other] }],
      client: { preregistered: [client, other] },
    });
    await call(world);
    moveTo(world, SECOND);
    expect((await call(world)).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });
});
