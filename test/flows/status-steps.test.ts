import { describe, expect, it, vi } from 'vitest';
import type { AuthorizationStatus } from '../../src/status.ts';
import { CALL, type Scene, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { settled } from '../helpers/simulated-clock.ts';
import { failureOfCall, untilStep, whileTimePasses } from '../helpers/waiting.ts';

interface Watched extends Scene {
  readonly statuses: readonly AuthorizationStatus[];
  /** Each step once, in the order it was first or again entered. */
  steps(): readonly string[];
}

function watched(options: SceneOptions = {}): Watched {
  const world = scene(options);
  const statuses: AuthorizationStatus[] = [world.client.status];
  world.client.subscribe((status) => statuses.push(status));
  const steps = () => statuses.map(({ step }) => step).filter((step, index, all) => step !== all[index - 1]);
  return { ...world, statuses, steps };
}

const call = ({ client, servers }: Scene, body: string = CALL.body): Promise<Response> =>
  client.fetch(servers.resource.url, { ...CALL, body });

describe('the status of a login', () => {
  it('passes through each step once, and ends authorized (OBS-02)', async () => {
    const world = watched();
    await call(world);
    expect(world.steps()).toEqual([
      'idle',
      'restoring',
      'unauthorized',
      'discovering',
      'registering',
      'preparing',
      'awaiting-user',
      'exchanging',
      'authorized',
    ]);
  });

  it('says what is known: issuer, registration, scopes, expiry (OBS-02)', async () => {
    const world = watched({ resource: { challengeScopes: ['read', 'write'] }, authorizationServer: { grantScopes: () => ['read'] } });
    await call(world);
    expect(world.client.status).toEqual({
      step: 'authorized',
      resource: 'https://mcp.example.com/mcp',
      account: 'default',
      issuer: 'https://login.example.com',
      registration: 'dynamic',
      requestedScopes: ['read', 'write'],
      grantedScopes: ['read'],
      expiresAtEpochSeconds: world.clock.now() / 1000 + 3600,
    });
  });

  it('shows the authorization URL and the deadline while the user has to act, and only then (OBS-02)', async () => {
    const world = watched({ act: () => undefined });
    const pending = call(world);
    const status = await untilStep(world.client, 'awaiting-user');
    expect(new URL(status.authorizationUrl).origin).toBe('https://login.example.com');
    expect(status).toMatchObject({ deadlineEpochSeconds: world.clock.now() / 1000 + 600, description: 'Waits for the user to approve.' });
    await world.client.completeAuthorization(await world.servers.approve(status.authorizationUrl));
    await pending;
    const withUrl = world.statuses.filter((shown) => 'authorizationUrl' in shown).map(({ step }) => step);
    expect(new Set(withUrl)).toEqual(new Set(['awaiting-user']));
  });

  it('says in a sentence what is being done, in every working step (OBS-02)', async () => {
    const world = watched({ moreAuthorizationServers: [{ issuer: 'https://second.example.com' }] });
    world.servers.authorizationServer.options.metadataAt = [];
    await call(world);
    const described = world.statuses.flatMap((status) => ('description' in status ? [status.description] : []));
    expect(described.length).toBeGreaterThan(5);
    expect(described.filter((text) => !/^[A-Z][^.]+\.$/.test(text))).toEqual([]);
  });
});

describe('a status', () => {
  it('is the same object until a person could see a difference (OBS-02)', async () => {
    const world = watched();
    await call(world);
    const { status } = world.client;
    const told = world.statuses.length;
    for (let count = 0; count < 5; count += 1) await call(world);
    await world.client.restore();
    await world.client.accessToken();
    expect(world.client.status).toBe(status);
    expect(world.statuses).toHaveLength(told);
  });

  it('is told to listeners only when it differs from the one before (OBS-02)', async () => {
    const world = watched({ authorizationServer: { metadataAt: ['oidc-appended'] } });
    world.servers.respond('resource-metadata', 503);
    await whileTimePasses(world.clock, call(world));
    world.servers.authorizationServer.expireAccessTokens();
    await call(world);
    await world.client.signOut();
    const texts = world.statuses.map((status) => JSON.stringify(status));
    // A change of progress alone is news, too; the rest must differ.
    const repeated = texts.filter((text, index) => text === texts[index - 1]);
    expect(repeated).toEqual([]);
  });

  it('cannot be changed by who looks at it: what is shown next is made anew (OBS-02)', async () => {
    const world = watched();
    await call(world);
    (world.client.status as { step: string }).step = 'failed';
    world.servers.authorizationServer.expireAccessTokens();
    await call(world);
    expect(world.client.status.step).toBe('authorized');
  });

  it('is no longer told to a listener that has stopped (OBS-02)', async () => {
    const world = scene();
    const seen: string[] = [];
    const stop = world.client.subscribe(({ step }) => {
      seen.push(step);
      if (step === 'discovering') stop();
    });
    await call(world);
    expect(seen).toEqual(['restoring', 'unauthorized', 'discovering']);
  });

  it('is told to the other listeners although one throws (OBS-02)', async () => {
    const world = scene();
    const seen: string[] = [];
    world.client.subscribe(() => {
      throw new Error('of the listener');
    });
    world.client.subscribe(({ step }) => seen.push(step));
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    await call(world);
    // Reported as XState does it: in a turn of its own, where nobody can catch it.
    expect(() => vi.runOnlyPendingTimers()).toThrow('of the listener');
    vi.clearAllTimers();
    vi.useRealTimers();
    expect(seen.at(-1)).toBe('authorized');
  });
});

describe('the status of what follows a login', () => {
  it('shows a refresh without the user (OBS-02)', async () => {
    const world = watched();
    await call(world);
    await world.clock.advance(3_590_000);
    const told = world.statuses.length;
    await call(world);
    expect(world.statuses.slice(told).map(({ step }) => step)).toContain('refreshing');
    expect(world.statuses.slice(told).map(({ step }) => step)).not.toContain('awaiting-user');
    expect(world.client.status.step).toBe('authorized');
  });

  it('shows which scopes are missing while the user is asked for more, and none afterwards (OBS-02)', async () => {
    const world = watched({ resource: { scopesFor: ({ body }) => (body.includes('write') ? ['read', 'write'] : ['read']) } });
    await call(world);
    const told = world.statuses.length;
    expect((await call(world, '{"method":"write"}')).status).toBe(200);
    const later = world.statuses.slice(told);
    expect(later.map(({ step }) => step)).toContain('stepping-up');
    const asked = later.find(({ step }) => step === 'awaiting-user');
    expect(asked).toMatchObject({ grantedScopes: ['read'], requestedScopes: ['read', 'write'], missingScopes: ['write'] });
    expect(world.client.status).toMatchObject({ step: 'authorized', grantedScopes: ['read', 'write'] });
    expect(world.client.status).not.toHaveProperty('missingScopes');
  });

  it('shows signing out, and that nobody is signed in then (OBS-02)', async () => {
    const world = watched();
    await call(world);
    const told = world.statuses.length;
    expect((await world.client.signOut()).step).toBe('unauthorized');
    expect(world.statuses.slice(told).map(({ step }) => step)).toEqual(['signing-out', 'unauthorized']);
    expect(world.client.status).not.toHaveProperty('grantedScopes');
    expect(world.client.status).not.toHaveProperty('expiresAtEpochSeconds');
  });
});

describe('the status of a flow that failed', () => {
  it.each<[string, (world: Scene) => unknown, Record<string, unknown>]>([
    [
      'for now',
      ({ servers }) => servers.respond('server-metadata', 500, { times: 99 }),
      { code: 'server_unavailable', action: 'retry', retryable: true },
    ],
    [
      'until the server is mended',
      ({ servers }) => Object.assign(servers.authorizationServer.options, { codeChallengeMethods: [] }),
      { code: 'pkce_not_supported', action: 'report-to-server', retryable: false },
    ],
    [
      'by the decision of the user',
      ({ servers }) => Object.assign(servers, { approve: servers.deny }),
      { code: 'authorization_denied', action: 'none', retryable: false },
    ],
  ])('%s says what to do next (OBS-02, AUT-06)', async (_what, breakIt, expected) => {
    const world = watched();
    breakIt(world);
    expect(await failureOfCall(whileTimePasses(world.clock, call(world)))).toMatchObject(expected);
    const { status } = world.client;
    expect(status).toMatchObject({ step: 'failed', failure: expected });
    if (status.step === 'failed') expect([status.failure.message, status.failure.advice].join(' ')).toMatch(/^[A-Z].+\.$/);
  });

  it('shows a cancellation as such (OBS-02)', async () => {
    const world = watched({ act: () => undefined });
    const pending = call(world);
    await untilStep(world.client, 'awaiting-user');
    world.client.cancel();
    expect(world.client.status.step).toBe('cancelled');
    expect(await failureOfCall(pending)).toMatchObject({ code: 'cancelled' });
  });

  it('is forgotten when the next flow begins (OBS-02)', async () => {
    const world = watched({ act: () => undefined });
    const pending = call(world);
    await untilStep(world.client, 'awaiting-user');
    world.client.cancel();
    await failureOfCall(pending);
    const again = call(world);
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    expect(world.client.status).not.toHaveProperty('failure');
    await world.client.completeAuthorization(await world.servers.approve(authorizationUrl));
    await again;
    await settled();
    expect(world.client.status.step).toBe('authorized');
  });
});
