import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { settled } from '../helpers/simulated-clock.ts';
import { failureOfCall, untilStep } from '../helpers/waiting.ts';

const MINUTE_MS = 60_000;

async function waiting(limits: Readonly<Record<string, number>> = {}): Promise<Scene & { readonly pending: Promise<Response> }> {
  const world = scene({ act: () => undefined, client: { limits } });
  const pending = world.client.fetch(world.servers.resource.url, CALL);
  pending.catch(() => {});
  await untilStep(world.client, 'awaiting-user');
  await settled();
  return { ...world, pending };
}

describe('the deadline of the user', () => {
  it('is ten minutes from the moment the page exists, and the status says when that is over (AUT-07)', async () => {
    const world = await waiting();
    expect(world.client.status).toMatchObject({ deadlineEpochSeconds: (world.clock.now() + 10 * MINUTE_MS) / 1000 });
    await world.clock.advance(10 * MINUTE_MS - 1);
    expect(world.client.status.step).toBe('awaiting-user');
    await world.clock.advance(1);
    expect(await failureOfCall(world.pending)).toMatchObject({ code: 'authorization_expired', phase: 'authorization', retryable: false });
    expect(world.client.status.step).toBe('failed');
    await settled();
    expect(world.user.isOpen).toBe(false);
  });

  it('has nothing to do with the bound of a request (AUT-07)', async () => {
    // A request is bounded by the platform's timers: they turn as far as the clock.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const world = await waiting({ requestTimeoutMs: 50, userDeadlineMs: 60 * MINUTE_MS });
    await world.clock.advance(59 * MINUTE_MS);
    vi.advanceTimersByTime(59 * MINUTE_MS);
    await settled();
    expect(world.client.status.step).toBe('awaiting-user');
    world.client.cancel();
    expect(await failureOfCall(world.pending)).toMatchObject({ code: 'cancelled' });
  });

  it('is kept across a restart: another process waits for what is left of it (AUT-07, RES-05)', async () => {
    const world = await waiting();
    const before = world.client.status;
    await world.clock.advance(9 * MINUTE_MS);
    await world.client.close();
    expect(await failureOfCall(world.pending)).toMatchObject({ code: 'closed' });
    const another = world.another();
    await another.restore();
    const after = await untilStep(another, 'awaiting-user');
    expect(after).toMatchObject({ deadlineEpochSeconds: before.step === 'awaiting-user' && before.deadlineEpochSeconds });
    await world.clock.advance(MINUTE_MS - 1);
    expect(another.status.step).toBe('awaiting-user');
    await world.clock.advance(1);
    expect(another.status).toMatchObject({ step: 'failed', failure: { code: 'authorization_expired' } });
    await another.close();
  });

  it('that passed while no process was there leaves nothing to wait for (AUT-07)', async () => {
    const world = await waiting();
    await world.client.close();
    await world.clock.advance(11 * MINUTE_MS);
    const another = world.another();
    expect((await another.restore()).step).toBe('unauthorized');
    expect(world.user.shown).toHaveLength(1);
  });

  it('runs anew for a new attempt (AUT-07)', async () => {
    const world = await waiting();
    await world.clock.advance(10 * MINUTE_MS);
    expect(await failureOfCall(world.pending)).toMatchObject({ code: 'authorization_expired' });
    const again = world.client.fetch(world.servers.resource.url, CALL);
    const { authorizationUrl, deadlineEpochSeconds } = await untilStep(world.client, 'awaiting-user');
    expect(deadlineEpochSeconds).toBe((world.clock.now() + 10 * MINUTE_MS) / 1000);
    await world.client.completeAuthorization(await world.servers.approve(authorizationUrl));
    expect((await again).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });
});

describe('the redirect target', () => {
  it('is ready before the client is registered, and the user is sent away (AUT-04)', async () => {
    const order: string[] = [];
    let makeReady = (): void => {};
    const ready = new Promise<void>((resolve) => {
      makeReady = resolve;
    });
    const world = scene();
    const client = world.another({
      account: 'slow',
      userAgent: {
        async open(request) {
          order.push('opening');
          await ready;
          order.push('ready');
          return {
            ...(await world.user.open(request)),
            present: async ({ authorizationUrl }) => void order.push(new URL(authorizationUrl).origin),
          };
        },
      },
    });
    const pending = client.fetch(world.servers.resource.url, CALL);
    while (order.length === 0) await settled();
    await settled();
    expect(order).toEqual(['opening']);
    expect(world.servers.requestsFor('registration')).toEqual([]);
    makeReady();
    await untilStep(client, 'awaiting-user');
    await settled();
    expect(order).toEqual(['opening', 'ready', 'https://login.example.com']);
    client.cancel();
    expect(await failureOfCall(pending)).toMatchObject({ code: 'cancelled' });
  });

  it('that cannot be made ready ends the flow before anyone is sent away (AUT-04)', async () => {
    const world = scene();
    const userAgent = { open: () => Promise.reject(new Error('the port is taken')) };
    const client = world.another({ account: 'broken', userAgent });
    const failure = await failureOfCall(client.fetch(world.servers.resource.url, CALL));
    expect(failure).toMatchObject({ code: 'redirect_unavailable', phase: 'authorization' });
    expect(world.servers.wire()).toHaveLength(3);
  });

  it('that never gets ready ends the flow, and is closed where it is ready too late (AUT-04, AUT-08)', async () => {
    let makeReady = (): void => {};
    const ready = new Promise<void>((resolve) => {
      makeReady = resolve;
    });
    const world = scene();
    const closed: string[] = [];
    let asked = 0;
    const userAgent = {
      open: async () => {
        asked += 1;
        await ready;
        return { redirectUri: 'http://127.0.0.1:7777/callback', present: async () => {}, close: async () => void closed.push('closed') };
      },
    };
    const client = world.another({ userAgent });
    const failing = failureOfCall(client.fetch(world.servers.resource.url, CALL));
    while (asked === 0) await settled();
    await world.clock.advance(30_000);
    expect(await failing).toMatchObject({
      code: 'redirect_unavailable',
      message: expect.stringContaining('was not ready in time'),
    });
    expect(closed).toEqual([]);
    makeReady();
    await settled();
    expect(closed).toEqual(['closed']);
  });

  it('is freed when the flow is cancelled while it is being made ready (AUT-04)', async () => {
    let makeReady = (): void => {};
    const ready = new Promise<void>((resolve) => {
      makeReady = resolve;
    });
    const world = scene();
    let asked = 0;
    const userAgent = {
      open: async (request: Parameters<typeof world.user.open>[0]) => {
        asked += 1;
        await ready;
        return world.user.open(request);
      },
    };
    const client = world.another({ userAgent });
    const pending = client.fetch(world.servers.resource.url, CALL);
    while (asked === 0) await settled();
    client.cancel();
    expect(await failureOfCall(pending)).toMatchObject({ code: 'cancelled' });
    makeReady();
    await settled();
    expect(world.user.opened).toHaveLength(1);
    expect(world.user.isOpen).toBe(false);
  });

  it('stays ready although the page could not be opened: a person can do that by hand (AUT-04)', async () => {
    const world = scene({ act: () => undefined });
    const userAgent = {
      open: async (request: Parameters<typeof world.user.open>[0]) => ({
        ...(await world.user.open(request)),
        present: () => Promise.reject(new Error('no browser')),
      }),
    };
    const client = world.another({ userAgent });
    const pending = client.fetch(world.servers.resource.url, CALL);
    const { authorizationUrl } = await untilStep(client, 'awaiting-user');
    await settled();
    expect(client.status.warning).toMatchObject({ code: 'user_agent_failed' });
    expect(world.user.isOpen).toBe(true);
    const [opened] = world.user.opened;
    expect(await opened?.deliver(await world.servers.approve(authorizationUrl))).toEqual({ accepted: true });
    expect((await pending).status).toBe(200);
    expect(client.status.warning).toBeUndefined();
  });
});
