import { describe, expect, it } from 'vitest';
import { waitFor } from 'xstate';
import { createAuthorizationClient } from '../../src/client.ts';
import type { Document } from '../fixtures/scripted/options.ts';
import { CALL, type Scene, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, untilStep, whileTimePasses } from '../helpers/waiting.ts';

const call = ({ client, servers }: Scene, body: string = CALL.body): Promise<Response> =>
  client.fetch(servers.resource.url, { ...CALL, body });

interface Watched extends Scene {
  /** `step completed/total`, as told to a listener. */
  readonly told: readonly string[];
  /** Steps completed, as told to a listener, each new number once. */
  completed(): readonly number[];
}

/** Every scene checks on its own that no progress runs backwards within an attempt; here the numbers are looked at. */
function watched(options: SceneOptions = {}): Watched {
  const world = scene(options);
  const told: string[] = [];
  const numbers: number[] = [];
  world.client.subscribe(({ step }, { completed, total }) => {
    told.push(`${step} ${completed}/${total}`);
    numbers.push(completed);
  });
  return { ...world, told, completed: () => numbers.filter((number, index) => number !== numbers[index - 1]) };
}

describe('progress', () => {
  it('counts the steps of a login, and is complete at its end (OBS-03)', async () => {
    const world = watched();
    expect(world.client.progress).toEqual({ completed: 0, total: 5 });
    await call(world);
    expect(world.completed()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(world.told.at(-1)).toBe('authorized 5/5');
    expect(world.client.progress).toEqual({ completed: 5, total: 5 });
  });

  it.each<[string, SceneOptions, (world: Scene) => unknown]>([
    [
      'other candidates for metadata',
      { authorizationServer: { metadataAt: ['oidc-appended'] }, resource: { metadataAt: ['root'] } },
      () => {},
    ],
    [
      'another authorization server',
      { moreAuthorizationServers: [{ issuer: 'https://second.example.com' }] },
      ({ servers }) => Object.assign(servers.authorizationServer.options, { codeChallengeMethods: ['plain'] }),
    ],
    ['pauses before tries', {}, ({ servers }) => servers.respond('server-metadata', 503, { times: 2 })],
    [
      'the other application type',
      {
        authorizationServer: {
          registration: {
            refuse: ({ application_type }: Document) => (application_type === 'web' ? undefined : { error: 'invalid_redirect_uri' }),
          },
        },
      },
      () => {},
    ],
  ])('does not fall over %s (OBS-03)', async (_what, options, prepare) => {
    const world = watched(options);
    prepare(world);
    await whileTimePasses(world.clock, call(world));
    expect(world.completed()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('does not fall when metadata is read again in the middle of a login (OBS-03)', async () => {
    const world = watched();
    const { issuer } = world.servers.authorizationServer;
    world.servers.respond('registration', 404);
    // Read again, it says something new.
    world.servers.respond(
      'server-metadata',
      async (_request, proceed) => {
        const document = (await (await proceed()).json()) as Document;
        return Response.json({ ...document, registration_endpoint: `${issuer}/register?new` });
      },
      { after: 1 },
    );
    await call(world);
    expect(world.completed()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('starts again with each new attempt of the same flow, and nowhere else (OBS-03)', async () => {
    const world = watched();
    world.servers.respond('token', () => Response.json({ error: 'invalid_grant' }, { status: 400 }));
    await call(world);
    expect(world.user.shown).toHaveLength(2);
    expect(world.completed()).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5]);
  });

  it('stays where a flow came to when it fails, and starts again with the next (OBS-03)', async () => {
    const world = watched({ act: (servers, url) => servers.deny(url) });
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'authorization_denied' });
    expect(world.client.progress).toEqual({ completed: 3, total: 5 });
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'authorization_denied' });
    expect(world.completed()).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
  });

  it('is right without a listener, too, when it is looked at seldom (OBS-03)', async () => {
    const { servers, clock } = scene();
    const client = createAuthorizationClient({
      resource: servers.resource.url,
      fetch: servers.fetch,
      clock,
      clientMetadata: { redirect_uris: ['http://127.0.0.1:7777/callback'] },
    });
    const begin = () => client.fetch(servers.resource.url, CALL);
    const isAt = (step: string) => waitFor(client.actor, () => client.status.step === step);
    const isWaitingForUser = () => waitFor(client.actor, (snapshot) => snapshot.hasTag('waitingForUser'));
    const first = begin();
    await isWaitingForUser();
    expect(client.progress).toEqual({ completed: 3, total: 5 });
    client.cancel();
    expect(await failureOfCall(first)).toMatchObject({ code: 'cancelled' });
    // Nobody looks at the cancelled flow: what it had reached does not count for the next.
    const second = begin();
    await waitFor(client.actor, (snapshot) => snapshot.matches({ working: 'discovering' }));
    expect(client.progress).toEqual({ completed: 0, total: 5 });
    await isWaitingForUser();
    expect(client.progress).toEqual({ completed: 3, total: 5 });
    const { status } = client;
    if (status.step !== 'awaiting-user') throw new Error(status.step);
    await client.completeAuthorization(await servers.approve(status.authorizationUrl));
    expect((await second).status).toBe(200);
    await isAt('authorized');
    expect(client.progress).toEqual({ completed: 5, total: 5 });
  });

  it('starts where a restored flow goes on (OBS-03)', async () => {
    const world = scene({ act: () => undefined });
    call(world).catch(() => {});
    await untilStep(world.client, 'awaiting-user');
    await world.client.close();
    const another = world.another();
    await another.restore();
    await untilStep(another, 'awaiting-user');
    expect(another.progress).toEqual({ completed: 3, total: 5 });
    await another.close();
  });

  it('of a step-up and of a refresh counts anew, up to its end (OBS-03)', async () => {
    const world = watched({ resource: { scopesFor: ({ body }) => (body.includes('write') ? ['read', 'write'] : ['read']) } });
    await call(world);
    await call(world, '{"method":"write"}');
    expect(world.completed()).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
    await world.clock.advance(3_590_000);
    await call(world);
    expect(world.completed().slice(-2)).toEqual([0, 5]);
  });

  it('is nothing again after signing out (OBS-03)', async () => {
    const world = watched();
    await call(world);
    await world.client.signOut();
    expect(world.told.at(-1)).toBe('unauthorized 0/5');
  });
});
