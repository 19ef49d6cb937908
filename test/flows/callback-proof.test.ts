import { describe, expect, it } from 'vitest';
import { constantTimeEqual } from '../../src/protocol/constant-time-equal.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { CALL, type Scene, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { settled, simulatedClock } from '../helpers/simulated-clock.ts';
import { failureOfCall, untilStep } from '../helpers/waiting.ts';
import { watchedStore } from '../helpers/watched-store.ts';

interface Waiting extends Scene {
  readonly pending: Promise<Response>;
  readonly authorizationUrl: string;
  /** Everything that a callback could change. */
  picture(): Promise<unknown>;
}

/** A client whose user has the page and has not come back. */
async function waitingForUser(options: SceneOptions = {}): Promise<Waiting> {
  const clock = simulatedClock();
  const watched = watchedStore(memoryStore({ clock }));
  const world = scene({ act: () => undefined, clock, store: watched.store, ...options });
  const pending = world.client.fetch(world.servers.resource.url, CALL);
  pending.catch(() => {});
  const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
  await settled();
  const picture = async () => [await watched.contents(), world.client.status, world.servers.requests.length, world.user.isOpen];
  return { ...world, pending, authorizationUrl, picture };
}

/** Awaits a refusal, and that it has changed nothing. */
async function refused(world: Waiting, callback: string | URL): Promise<void> {
  const before = structuredClone(await world.picture());
  const failure = await failureOfCall(world.client.completeAuthorization(callback));
  expect(failure).toMatchObject({ code: 'callback_not_expected', action: 'authorize-again' });
  expect(await world.picture()).toEqual(before);
}

/** The same after a flow has ended: the first refusal waits until what is left of the flow is deleted. */
async function refusedLate(world: Waiting, callback: string): Promise<void> {
  expect(await failureOfCall(world.client.completeAuthorization(callback))).toMatchObject({ code: 'callback_not_expected' });
  await refused(world, callback);
}

function changed(callback: string, parameters: Readonly<Record<string, string | null>>): URL {
  const url = new URL(callback);
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return url;
}

const codesSent = ({ servers }: Scene): number => servers.requestsFor('token').length;

describe('a callback that cannot prove its state', () => {
  it('is refused and changes nothing; the right one still completes the login (AUT-05)', async () => {
    const world = await waitingForUser();
    const callback = await world.servers.approve(world.authorizationUrl);
    const state = new URL(callback).searchParams.get('state') ?? '';
    const forgeries: Record<string, string | null>[] = [
      { state: 'A'.repeat(state.length) },
      { state: `${state}x` },
      { state: state.slice(0, -1) },
      { state: state.slice(0, -1) + (state.endsWith('A') ? 'B' : 'A') },
      { state: '' },
      { state: null },
      { state: '__proto__', code: 'forged' },
      { state: 'forged', error: 'access_denied', code: null },
    ];
    for (const forgery of forgeries) await refused(world, changed(callback, forgery));
    await world.client.completeAuthorization(callback);
    expect((await world.pending).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });

  it('is refused in every form that two readers could read in two ways (AUT-05)', async () => {
    const world = await waitingForUser();
    const callback = await world.servers.approve(world.authorizationUrl);
    const state = new URL(callback).searchParams.get('state') ?? '';
    const before = structuredClone(await world.picture());
    for (const odd of [`${callback}&state=${state}`, `${callback}&code=other`, `${callback}&access_token=x`, 'not a URL', '']) {
      expect(await failureOfCall(world.client.completeAuthorization(odd))).toMatchObject({ code: 'callback_invalid' });
    }
    expect(await world.picture()).toEqual(before);
    await world.client.completeAuthorization(callback);
    expect((await world.pending).status).toBe(200);
  });

  it('is told no more than that, at the redirect target too (AUT-05)', async () => {
    const world = await waitingForUser();
    const [opened] = world.user.opened;
    const outcome = await opened?.deliver('http://127.0.0.1:7777/callback?state=forged&code=forged');
    expect(outcome).toMatchObject({ accepted: false, failure: { code: 'callback_not_expected' } });
    expect(JSON.stringify(outcome)).not.toContain('forged');
    expect(world.client.status.step).toBe('awaiting-user');
    expect(codesSent(world)).toBe(0);
  });

  it('takes the same time wherever it differs (AUT-05)', () => {
    const reads = (a: string, b: string): number => {
      let count = 0;
      const counted = (text: string): string => {
        const object = new String(text);
        Object.defineProperty(object, 'charCodeAt', { value: (at: number) => [++count, text.charCodeAt(at)][1] });
        return object as unknown as string;
      };
      constantTimeEqual(counted(a), counted(b));
      return count;
    };
    const state = 'k'.repeat(43);
    const early = reads(`x${state.slice(1)}`, state);
    expect(early).toBeGreaterThanOrEqual(2 * state.length);
    expect(reads(`${state.slice(1)}x`, state)).toBe(early);
    expect(reads(state, state)).toBe(early);
    expect(constantTimeEqual(state, state)).toBe(true);
    expect(constantTimeEqual(`${state.slice(1)}x`, state)).toBe(false);
  });
});

describe('a callback that comes twice', () => {
  it('is used once: the second changes nothing, after the login as well (AUT-05)', async () => {
    const world = await waitingForUser();
    const callback = await world.servers.approve(world.authorizationUrl);
    const [first, second] = await Promise.allSettled([
      world.client.completeAuthorization(callback),
      world.client.completeAuthorization(callback),
    ]);
    expect([first?.status, second?.status].sort()).toEqual(['fulfilled', 'rejected']);
    expect((await world.pending).status).toBe(200);
    await refusedLate(world, callback);
    expect(codesSent(world)).toBe(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('with another code the second time does not replace the first (AUT-05)', async () => {
    const world = await waitingForUser();
    const callback = await world.servers.approve(world.authorizationUrl);
    const outcomes = await Promise.allSettled([
      world.client.completeAuthorization(callback),
      world.client.completeAuthorization(changed(callback, { code: 'another' })),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(world.servers.requestsFor('token').map(({ form }) => form.get('code'))).toEqual([new URL(callback).searchParams.get('code')]);
  });

  it('reaches two processes and is used by one of them (AUT-05)', async () => {
    const world = await waitingForUser();
    const callback = await world.servers.approve(world.authorizationUrl);
    const another = world.another({ userAgent: undefined });
    await another.restore();
    const outcomes = await Promise.allSettled([world.client.completeAuthorization(callback), another.completeAuthorization(callback)]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(codesSent(world)).toBe(1);
    expect(world.servers.violations).toEqual([]);
    await another.close();
  });
});

describe('a callback that comes too late', () => {
  it('is refused once the deadline has passed (AUT-05, AUT-07)', async () => {
    const world = await waitingForUser();
    const callback = await world.servers.approve(world.authorizationUrl);
    await world.clock.advance(10 * 60_000);
    expect(await failureOfCall(world.pending)).toMatchObject({ code: 'authorization_expired', action: 'authorize-again' });
    await refusedLate(world, callback);
    expect(codesSent(world)).toBe(0);
  });

  it('is refused after the login was cancelled, or ended by signing out (AUT-05)', async () => {
    const world = await waitingForUser();
    const callback = await world.servers.approve(world.authorizationUrl);
    world.client.cancel();
    expect(await failureOfCall(world.pending)).toMatchObject({ code: 'cancelled' });
    await refusedLate(world, callback);
    const again = await waitingForUser();
    const other = await again.servers.approve(again.authorizationUrl);
    await again.client.signOut();
    expect(await failureOfCall(again.pending)).toMatchObject({ code: 'signed_out' });
    await refusedLate(again, other);
    expect(codesSent(world) + codesSent(again)).toBe(0);
  });
});

describe('a callback that comes too late to another process', () => {
  it('is refused, though the flow still lies in the store (AUT-05, AUT-07)', async () => {
    const world = await waitingForUser();
    const callback = await world.servers.approve(world.authorizationUrl);
    await world.client.close();
    await world.clock.advance(10 * 60_000);
    const another = world.another();
    expect(await failureOfCall(another.completeAuthorization(callback))).toMatchObject({ code: 'callback_not_expected' });
    expect(another.status.step).toBe('idle');
    expect(codesSent(world)).toBe(0);
  });
});

describe('a callback that comes while its attempt is being deleted', () => {
  it('is as late as any other (AUT-05, OUT-02)', async () => {
    const clock = simulatedClock();
    const inner = memoryStore({ clock });
    let letGo = (): void => {};
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const slow = { ...inner, delete: async (...args: Parameters<typeof inner.delete>) => gate.then(() => inner.delete(...args)) };
    const world = await waitingForUser({ clock, store: slow });
    const callback = await world.servers.approve(world.authorizationUrl);
    world.client.cancel();
    expect(await failureOfCall(world.pending)).toMatchObject({ code: 'cancelled' });
    const late = failureOfCall(world.client.completeAuthorization(callback));
    await settled();
    letGo();
    expect(await late).toMatchObject({ code: 'callback_not_expected' });
    expect(codesSent(world)).toBe(0);
  });
});

describe('a callback that is meant for another attempt', () => {
  it('is refused by the client of another account or resource, and good where it belongs (AUT-05, AUT-08)', async () => {
    const world = await waitingForUser();
    const callback = await world.servers.approve(world.authorizationUrl);
    const foreign = world.another({ account: 'another' });
    expect(await failureOfCall(foreign.completeAuthorization(callback))).toMatchObject({ code: 'callback_not_expected' });
    const elsewhere = world.another({ resource: 'https://mcp.example.com/other' });
    expect(await failureOfCall(elsewhere.completeAuthorization(callback))).toMatchObject({ code: 'callback_not_expected' });
    await world.client.completeAuthorization(callback);
    expect((await world.pending).status).toBe(200);
    expect(foreign.status.step).toBe('idle');
    expect(world.servers.violations).toEqual([]);
  });

  it('is refused by another process of the account that has begun anew, and when that has ended (AUT-05, AUT-08)', async () => {
    const world = scene({ act: () => undefined });
    const another = world.another();
    await another.restore();
    const first = world.client.fetch(world.servers.resource.url, CALL);
    first.catch(() => {});
    const one = await untilStep(world.client, 'awaiting-user');
    const callback = await world.servers.approve(one.authorizationUrl);
    world.client.cancel();
    const second = another.fetch(world.servers.resource.url, CALL);
    const two = await untilStep(another, 'awaiting-user');
    expect(two.authorizationUrl).not.toBe(one.authorizationUrl);
    expect(await failureOfCall(another.completeAuthorization(callback))).toMatchObject({ code: 'callback_not_expected' });
    await another.completeAuthorization(await world.servers.approve(two.authorizationUrl));
    expect((await second).status).toBe(200);
    for (const client of [another, world.client]) {
      expect(await failureOfCall(client.completeAuthorization(callback))).toMatchObject({ code: 'callback_not_expected' });
    }
    expect(world.servers.violations).toEqual([]);
  });
});
