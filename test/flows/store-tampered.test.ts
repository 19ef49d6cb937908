import { describe, expect, it } from 'vitest';
import { orderedJson } from '../../src/ordered-json.ts';
import { digest, recordKey } from '../../src/records/keys.ts';
import type { JsonObject } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { CALL, type Scene, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { failureOfCall, untilStep, whileTimePasses } from '../helpers/waiting.ts';

const EVIL = 'https://evil.example.com';

interface Tampered extends Scene {
  /** What reached the server of whoever writes the store. */
  readonly stolen: string[];
}

const SECOND = 'https://second.example.com';

/** Someone writes the store, and reaches neither the vault nor the network. */
function tamperedScene(options: SceneOptions = {}): Tampered {
  const clock = simulatedClock();
  const stolen: string[] = [];
  const world = scene({
    ...options,
    clock,
    client: { vault: memoryStore({ clock }) },
    wrapFetch: (fetch) => async (input, init) => {
      if (!(input instanceof Request) || new URL(input.url).origin !== EVIL) return fetch(input, init);
      const request = new Request(input, init);
      stolen.push(`${request.method} ${request.url} ${await request.text()}`);
      return Response.json({ access_token: 'theirs', token_type: 'Bearer' });
    },
  });
  return { ...world, stolen };
}

/** Replaces the real issuer's host by the other one wherever an endpoint is named. */
async function bendEndpoints({ store }: Scene, key: string, names: readonly string[]): Promise<void> {
  const text = JSON.stringify((await store.read(key))?.value);
  const bent = names.reduce((all, name) => all.replaceAll(new RegExp(`("${name}":")https://[^/"]+`, 'g'), `$1${EVIL}`), text);
  expect(bent).not.toBe(text);
  await store.write(key, JSON.parse(bent) as JsonObject);
}

interface LeftWaiting extends Tampered {
  readonly flowKey: string;
  /** Of the server metadata that the checkpoint names. */
  readonly metadataKey: string;
  readonly authorizationUrl: string;
}

/** A login whose process has gone while the user was away. */
async function leftWaiting(): Promise<LeftWaiting> {
  const world = tamperedScene({ act: () => undefined });
  world.client.fetch(world.servers.resource.url, CALL).catch(() => {});
  const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
  await world.client.close();
  const flowKey = recordKey('flow', 'default', world.servers.resource.url);
  const { authorizationServer } = (await checkpointAt(world, flowKey)).context;
  return { ...world, authorizationUrl, flowKey, metadataKey: recordKey('metadata', String(authorizationServer['metadataDigest'])) };
}

interface StoredCheckpoint extends JsonObject {
  readonly context: { readonly authorizationServer: JsonObject };
}

async function checkpointAt({ store }: Scene, flowKey: string): Promise<StoredCheckpoint> {
  return (await store.read(flowKey))?.value as StoredCheckpoint;
}

/** Gives the checkpoint another authorization server, or another name for its metadata. */
async function giveServer(world: LeftWaiting, change: JsonObject): Promise<void> {
  const checkpoint = await checkpointAt(world, world.flowKey);
  const authorizationServer = { ...checkpoint.context.authorizationServer, ...change };
  await world.store.write(world.flowKey, { ...checkpoint, context: { ...checkpoint.context, authorizationServer } });
}

describe('a checkpoint that someone else has edited', () => {
  /** The metadata as whoever writes the store would like it. */
  const bent = async (world: LeftWaiting): Promise<JsonObject> => {
    await bendEndpoints(world, world.metadataKey, ['token_endpoint']);
    return (await world.store.read(world.metadataKey))?.value['metadata'] as JsonObject;
  };

  it.each<readonly [string, (world: LeftWaiting) => Promise<void>]>([
    ['its token_endpoint', (world) => bendEndpoints(world, world.metadataKey, ['token_endpoint'])],
    ['its authorization_endpoint', (world) => bendEndpoints(world, world.metadataKey, ['authorization_endpoint'])],
    ['its registration_endpoint', (world) => bendEndpoints(world, world.metadataKey, ['registration_endpoint'])],
    ['its authorizationUrl', (world) => bendEndpoints(world, world.flowKey, ['authorizationUrl'])],
    ['its issuer', (world) => bendEndpoints(world, world.flowKey, ['issuer'])],
    ['the metadata within it', async (world) => giveServer(world, { metadataDigest: undefined, metadata: await bent(world) })],
    [
      'the name of its metadata',
      async (world) => {
        const metadata = await bent(world);
        const name = await digest(orderedJson(metadata));
        await world.store.write(recordKey('metadata', name), { format: 1, expiresAtEpochMs: 9e15, metadata });
        await giveServer(world, { metadataDigest: name });
      },
    ],
  ])('in %s completes no login: no code, verifier or user goes there (ISS-09)', async (_name, edit) => {
    const world = await leftWaiting();
    const callback = await world.servers.approve(world.authorizationUrl);
    await edit(world);
    const another = world.another();
    expect(await failureOfCall(another.completeAuthorization(callback))).toMatchObject({
      code: expect.stringMatching(/record_unreadable|issuer_changed/),
    });
    expect(world.stolen).toEqual([]);
    expect(world.servers.requestsFor('token')).toEqual([]);
    expect(world.user.shown.filter((url) => url.startsWith(EVIL))).toEqual([]);
  });

  it('is not listened, registered or opened for, and the next request begins anew (ISS-09)', async () => {
    const world = await leftWaiting();
    await bendEndpoints(world, world.flowKey, ['authorizationUrl']);
    await bendEndpoints(world, world.metadataKey, ['authorization_endpoint', 'token_endpoint', 'registration_endpoint']);
    const another = world.another();
    expect(await failureOfCall(another.restore())).toMatchObject({ code: 'record_unreadable' });
    const pending = another.fetch(world.servers.resource.url, CALL);
    const { authorizationUrl } = await untilStep(another, 'awaiting-user');
    await another.completeAuthorization(await world.servers.approve(authorizationUrl));
    expect((await pending).status).toBe(200);
    expect(world.stolen).toEqual([]);
    expect(world.servers.violations).toEqual([]);
  });

  it('shows nobody a page of its own, also to those who follow whoever holds its lease (ISS-09)', async () => {
    const world = await leftWaiting();
    const leaseKey = recordKey('lease', 'flow', 'default', world.servers.resource.url);
    await world.store.acquireLease(leaseKey, 'theirs', 60_000);
    const follower = world.another();
    await follower.restore();
    expect(follower.status).toMatchObject({ step: 'awaiting-other', authorizationUrl: world.authorizationUrl });
    follower.cancel();
    await bendEndpoints(world, world.flowKey, ['authorizationUrl']);
    follower.authorize().catch(() => {});
    const shown = await whileTimePasses(world.clock, untilStep(follower, 'awaiting-other'));
    await world.clock.advance(1_000);
    expect([shown.authorizationUrl, follower.status]).toMatchObject([undefined, { step: 'awaiting-other' }]);
    expect(follower.status).not.toHaveProperty('authorizationUrl');
  });

  it('that asks for a client identifier leads no discovery elsewhere: the resource is asked anew (ISS-09)', async () => {
    const world = tamperedScene({ act: () => undefined, authorizationServer: { registration: false } });
    expect(await failureOfCall(world.client.authorize())).toMatchObject({ code: 'client_identifier_required' });
    await world.client.close();
    const flowKey = recordKey('flow', 'default', world.servers.resource.url);
    await bendEndpoints(world, flowKey, ['resourceMetadataUrl']);
    const another = world.another();
    await another.restore();
    await untilStep(another, 'awaiting-client');
    expect(world.stolen).toEqual([]);
  });

  it('leads no fresh discovery elsewhere, either, when the metadata turns out to be stale (ISS-09)', async () => {
    const world = await leftWaiting();
    await bendEndpoints(world, world.flowKey, ['resourceMetadataUrl']);
    world.servers.respond('token', 404, { times: 1 });
    const completing = world.another().completeAuthorization(await world.servers.approve(world.authorizationUrl));
    await whileTimePasses(world.clock, Promise.allSettled([completing]));
    expect(world.servers.requestsFor('resource-metadata').length).toBeGreaterThan(1);
    expect(world.stolen).toEqual([]);
  });

  it('completes as ever where a store gives its members back in another order (ISS-09)', async () => {
    const world = await leftWaiting();
    const turned = (value: unknown): unknown =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([name, member]) => [name, turned(member)]),
          )
        : value;
    for (const key of [world.flowKey, world.metadataKey]) {
      await world.store.write(key, turned((await world.store.read(key))?.value) as JsonObject);
    }
    const status = await world.another().completeAuthorization(await world.servers.approve(world.authorizationUrl));
    expect(status.step).toBe('authorized');
  });
});

describe('server metadata that a login shares with others', () => {
  it('and that is gone costs that login, with a code, and nothing more: the next request begins anew (RES-04)', async () => {
    const world = await leftWaiting();
    const callback = await world.servers.approve(world.authorizationUrl);
    await world.store.delete(world.metadataKey);
    const another = world.another();
    expect(await failureOfCall(another.completeAuthorization(callback))).toMatchObject({ code: 'record_unreadable' });
    const pending = another.fetch(world.servers.resource.url, CALL);
    const { authorizationUrl } = await untilStep(another, 'awaiting-user');
    await another.completeAuthorization(await world.servers.approve(authorizationUrl));
    expect((await pending).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });
});

describe('server metadata that someone else has edited', () => {
  const ENDPOINTS = ['token_endpoint', 'authorization_endpoint', 'registration_endpoint'];

  it('gets no refresh token: it is fetched again from its issuer (ISS-01)', async () => {
    const world = tamperedScene();
    await world.client.fetch(world.servers.resource.url, CALL);
    await bendEndpoints(world, recordKey('server-metadata-1', world.servers.authorizationServer.issuer), ENDPOINTS);
    world.servers.authorizationServer.expireAccessTokens();
    for (const client of [world.client, world.another()]) {
      expect((await client.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    }
    await world.clock.advance(24 * 3_600_000);
    expect((await world.another().fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(world.stolen).toEqual([]);
    expect(world.user.shown).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('leads no user and no code elsewhere (ISS-01)', async () => {
    const world = tamperedScene();
    await world.client.fetch(world.servers.resource.url, CALL);
    await world.client.signOut({ forgetRegistration: true });
    await bendEndpoints(world, recordKey('server-metadata-1', world.servers.authorizationServer.issuer), ENDPOINTS);
    expect((await world.another().fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(world.stolen).toEqual([]);
    expect(world.servers.violations).toEqual([]);
  });
});

describe('a client that was agreed beforehand without naming its issuer', () => {
  it('stays with the first it was used with, whatever becomes of the store (ISS-07)', async () => {
    const client = { client_id: 'pre', client_secret: 'SECRET-of-pre' };
    const issuer = 'https://login.example.com';
    const clock = simulatedClock();
    const world = scene({
      clock,
      resource: { authorizationServers: [issuer] },
      authorizationServer: { clients: [client] },
      moreAuthorizationServers: [{ issuer: SECOND }],
      client: { vault: memoryStore({ clock }), preregistered: [client] },
    });
    await world.client.fetch(world.servers.resource.url, CALL);
    // Everything that can be deleted outside the vault is deleted, and the resource names another server.
    const another = world.another({ store: memoryStore({ clock }) });
    world.servers.resource.options.authorizationServers = [SECOND];
    const failure = await failureOfCall(another.fetch(world.servers.resource.url, CALL));
    expect(failure).toMatchObject({ code: 'client_issuer_mismatch', details: { expected: issuer, received: SECOND } });
    expect(world.servers.violations).toEqual([]);
  });
});
