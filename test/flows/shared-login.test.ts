import { describe, expect, it } from 'vitest';
import { mortalProcess } from '../helpers/mortal-process.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { settled } from '../helpers/simulated-clock.ts';
import { failureOfCall, untilStep, whileTimePasses } from '../helpers/waiting.ts';

const call = ({ servers }: Scene, client: Scene['client']): Promise<number> =>
  client.fetch(servers.resource.url, CALL).then(({ status }) => status);
const timesAsked = ({ servers }: Scene): number => servers.requests.filter(({ purpose }) => purpose === 'authorization').length;
const registrations = ({ servers }: Scene): number => servers.requestsFor('registration').length;
const codesSent = ({ servers }: Scene): number => servers.requestsFor('token').filter(({ form }) => form.has('code')).length;

/** One process shows the page, another has been sent a request that needs the same login. */
async function joined(options: Parameters<typeof scene>[0] = {}) {
  const world = scene({ act: () => undefined, ...options });
  const other = world.another();
  await other.restore();
  const first = call(world, world.client);
  const shown = await untilStep(world.client, 'awaiting-user');
  const second = call(world, other);
  const followed = await untilStep(other, 'awaiting-other');
  for (const pending of [first, second]) pending.catch(() => {});
  return { ...world, other, first, second, shown, followed };
}

describe('a second process that needs the user', () => {
  it('shows the same URL and deadline, opens nothing, and has its answer after one approval (AUT-07, AUT-08, RES-02)', async () => {
    const world = await joined();
    const { authorizationUrl, deadlineEpochSeconds } = world.shown;
    expect(world.followed).toMatchObject({ authorizationUrl, deadlineEpochSeconds });
    expect(world.user.shown).toEqual([authorizationUrl]);
    await world.client.completeAuthorization(await world.servers.approve(authorizationUrl));
    expect(await whileTimePasses(world.clock, Promise.all([world.first, world.second]))).toEqual([200, 200]);
    expect([timesAsked(world), registrations(world), codesSent(world)]).toEqual([1, 1, 1]);
    expect(world.other.status.step).toBe('authorized');
    expect(world.servers.violations).toEqual([]);
  });

  it('takes the callback for the process that waits for it (RES-06)', async () => {
    const world = await joined();
    const completing = world.other.completeAuthorization(await world.servers.approve(world.shown.authorizationUrl));
    expect(await whileTimePasses(world.clock, completing)).toMatchObject({ step: 'authorized' });
    expect(await whileTimePasses(world.clock, Promise.all([world.first, world.second]))).toEqual([200, 200]);
    expect([timesAsked(world), codesSent(world)]).toEqual([1, 1]);
    expect(world.servers.violations).toEqual([]);
  });

  it('learns that the user refused, and asks nobody (AUT-06, AUT-08)', async () => {
    const world = await joined();
    world.client.completeAuthorization(await world.servers.deny(world.shown.authorizationUrl)).catch(() => {});
    const failures = [failureOfCall(world.first), failureOfCall(world.second)];
    const expected = { code: 'authorization_denied', action: 'none', retryable: false };
    expect(await whileTimePasses(world.clock, Promise.all(failures))).toMatchObject([expected, expected]);
    expect(world.user.shown).toHaveLength(1);
  });

  it('ends with the first at the deadline they share (AUT-07)', async () => {
    const world = await joined();
    const failures = Promise.all([failureOfCall(world.first), failureOfCall(world.second)]);
    expect(await whileTimePasses(world.clock, failures, 5_000)).toMatchObject([
      { code: 'authorization_expired' },
      { code: 'authorization_expired' },
    ]);
    expect(world.user.shown).toHaveLength(1);
  });

  it('ends with the first when that is cancelled; cancelled itself, it leaves the first alone (FET-07)', async () => {
    const world = await joined();
    world.other.cancel();
    expect(await failureOfCall(world.second)).toMatchObject({ code: 'cancelled' });
    expect(world.client.status.step).toBe('awaiting-user');
    const again = call(world, world.other);
    await untilStep(world.other, 'awaiting-other');
    world.client.cancel();
    expect(await whileTimePasses(world.clock, failureOfCall(again))).toMatchObject({ code: 'cancelled' });
    expect(world.user.shown).toHaveLength(1);
  });

  it('ends the first, too, when it is cancelled everywhere: the page is worth nothing then (FET-07, AUT-05)', async () => {
    const world = await joined();
    world.other.cancel({ everywhere: true });
    await world.clock.advance(1_000);
    const failures = Promise.all([failureOfCall(world.first), failureOfCall(world.second)]);
    expect(await whileTimePasses(world.clock, failures)).toMatchObject([{ code: 'cancelled' }, { code: 'cancelled' }]);
    const callback = await world.servers.approve(world.shown.authorizationUrl);
    expect(await failureOfCall(world.client.completeAuthorization(callback))).toMatchObject({ code: 'callback_not_expected' });
  });

  it('asks by itself where the first could not: what fails for one process may work for another (AUT-04)', async () => {
    const world = await joined();
    world.servers.respond('token', 503, { times: 1 });
    world.client.completeAuthorization(await world.servers.approve(world.shown.authorizationUrl)).catch(() => {});
    expect(await whileTimePasses(world.clock, failureOfCall(world.first))).toMatchObject({ retryable: true });
    const asked = await whileTimePasses(world.clock, untilStep(world.other, 'awaiting-user'));
    expect(asked.authorizationUrl).not.toBe(world.shown.authorizationUrl);
    await world.other.completeAuthorization(await world.servers.approve(asked.authorizationUrl));
    expect(await world.second).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });

  it('waits on while the store has a bad moment, and says so if it lasts (RFR-03, STO-01)', async () => {
    const world = await joined();
    const { read } = world.store;
    Object.assign(world.store, { read: () => Promise.reject(new Error('connection refused')) });
    await world.clock.advance(3_000);
    expect(world.other.status.step).toBe('awaiting-other');
    Object.assign(world.store, { read });
    await world.clock.advance(1_000);
    Object.assign(world.store, { read: () => Promise.reject(new Error('connection refused')) });
    expect(await whileTimePasses(world.clock, failureOfCall(world.second))).toMatchObject({ code: 'store_failed', retryable: true });
    Object.assign(world.store, { read });
  });

  it('asks for the scopes it needs once the login that lacks them is over (SCO-04)', async () => {
    const world = scene({
      act: () => undefined,
      resource: { scopesFor: ({ body }) => (body.includes('write') ? ['read', 'write'] : ['read']) },
    });
    const other = world.another();
    await other.restore();
    const first = call(world, world.client);
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    const second = other.authorize({ scopes: ['read', 'write'] });
    await untilStep(other, 'awaiting-other');
    await world.client.completeAuthorization(await world.servers.approve(authorizationUrl));
    expect(await first).toBe(200);
    const asked = await whileTimePasses(world.clock, untilStep(other, 'awaiting-user'));
    expect(new URL(asked.authorizationUrl).searchParams.get('scope')?.split(' ').sort()).toEqual(['read', 'write']);
    await other.completeAuthorization(await world.servers.approve(asked.authorizationUrl));
    expect((await second).step).toBe('authorized');
    expect(world.servers.violations).toEqual([]);
  });

  it('gives up on a process that holds the login and does nothing with it (RES-02)', async () => {
    const client = { userAgent: { open: () => new Promise<never>(() => {}) }, limits: { redirectReadyMs: 3_600_000 } };
    const world = scene({ client });
    const other = world.another();
    await other.restore();
    call(world, world.client).catch(() => {});
    await untilStep(world.client, 'registering');
    const second = call(world, other);
    await untilStep(other, 'awaiting-other');
    expect(await whileTimePasses(world.clock, failureOfCall(second), 5_000)).toMatchObject({ code: 'login_busy', retryable: true });
  });

  it('does not wait where the first waits for a client identifier: that may take days (REG-01)', async () => {
    const world = scene({ act: () => undefined, authorizationServer: { registration: false } });
    const other = world.another();
    await other.restore();
    expect(await failureOfCall(call(world, world.client))).toMatchObject({ code: 'client_identifier_required' });
    expect(await whileTimePasses(world.clock, failureOfCall(call(world, other)))).toMatchObject({ code: 'client_identifier_required' });
  });
});

describe('eight processes that need the user at once', () => {
  it('register once and ask once (REG-08, AUT-08)', async () => {
    const world = scene();
    const clients = Array.from({ length: 8 }, () => world.another());
    const statuses = Promise.all(clients.map((client) => call(world, client)));
    expect(await whileTimePasses(world.clock, statuses, 50)).toEqual(Array(8).fill(200));
    expect(world.user.shown).toHaveLength(1);
    expect([timesAsked(world), registrations(world), codesSent(world)]).toEqual([1, 1, 1]);
    expect(world.servers.violations).toEqual([]);
  });
});

describe('a login whose process ends while another follows it', () => {
  it('goes on there at once if it was closed: same page, same redirect URI, no second tab (RES-02, RES-07)', async () => {
    const world = await joined();
    await world.client.close();
    const taken = await whileTimePasses(world.clock, untilStep(world.other, 'awaiting-user'));
    expect(taken.authorizationUrl).toBe(world.shown.authorizationUrl);
    expect(taken.deadlineEpochSeconds).toBe(world.shown.deadlineEpochSeconds);
    expect(world.user.opened.at(-1)).toMatchObject({ preferredRedirectUri: 'http://127.0.0.1:7777/callback', preferredOnly: true });
    expect(world.user.shown).toHaveLength(1);
    await world.user.opened.at(-1)?.deliver(await world.servers.approve(taken.authorizationUrl));
    expect(await world.second).toBe(200);
    expect([timesAsked(world), registrations(world)]).toEqual([1, 1]);
    expect(world.servers.violations).toEqual([]);
  });

  it('goes on there within 5 seconds if it was killed (RES-08)', async () => {
    const world = scene({ act: () => undefined });
    const mortal = mortalProcess({ store: world.store, fetch: world.servers.fetch }, () => false);
    const killed = world.another({ store: mortal.store, fetch: mortal.fetch });
    call(world, killed).catch(() => {});
    const shown = await untilStep(killed, 'awaiting-user');
    const pending = call(world, world.client);
    await untilStep(world.client, 'awaiting-other');
    mortal.kill();
    await world.clock.advance(5_000);
    expect(world.client.status).toMatchObject({ step: 'awaiting-user', authorizationUrl: shown.authorizationUrl });
    await world.client.completeAuthorization(await world.servers.approve(shown.authorizationUrl));
    expect(await pending).toBe(200);
    expect([timesAsked(world), registrations(world), world.user.shown.length]).toEqual([1, 1, 1]);
    expect(world.servers.violations).toEqual([]);
  });

  it('opens the page there if it was killed while it opened it: nobody can know that the user saw one (RES-02, RES-03)', async () => {
    const world = scene({ act: () => undefined });
    const mortal = mortalProcess({ store: world.store, fetch: world.servers.fetch }, () => false);
    let shown = '';
    const killed = world.another({
      store: mortal.store,
      fetch: mortal.fetch,
      userAgent: {
        open: async (request) => ({
          ...(await world.user.open(request)),
          async present({ authorizationUrl }) {
            shown = authorizationUrl;
            mortal.kill();
            await new Promise(() => {});
          },
        }),
      },
    });
    call(world, killed).catch(() => {});
    while (!mortal.isDead) await settled();
    const pending = call(world, world.client);
    await whileTimePasses(world.clock, untilStep(world.client, 'awaiting-user'));
    await settled();
    expect(world.user.shown).toEqual([shown]);
    await world.client.completeAuthorization(await world.servers.approve(shown));
    expect(await pending).toBe(200);
    expect([timesAsked(world), registrations(world)]).toEqual([1, 1]);
    expect(world.servers.violations).toEqual([]);
  });

  it('fails there at the deadline of the page that was shown (AUT-07, RES-05)', async () => {
    const world = await joined();
    await world.client.close();
    await whileTimePasses(world.clock, untilStep(world.other, 'awaiting-user'));
    await world.clock.advance(10 * 60_000);
    expect(await failureOfCall(world.second)).toMatchObject({ code: 'authorization_expired' });
    expect(world.clock.now() / 1000 - world.shown.deadlineEpochSeconds).toBeLessThan(2);
  });
});

describe('a process that was asleep while its user was away', () => {
  it('follows the one that has taken its login over, and adopts its tokens (RES-08)', async () => {
    const world = await joined();
    // Asleep: its renewals never reached the store.
    world.clock.jumpTo(world.clock.now() + 30_000);
    const holder = await whileTimePasses(world.clock, untilStep(world.other, 'awaiting-user'));
    await whileTimePasses(world.clock, untilStep(world.client, 'awaiting-other'));
    expect(holder.authorizationUrl).toBe(world.shown.authorizationUrl);
    await world.other.completeAuthorization(await world.servers.approve(holder.authorizationUrl));
    expect(await whileTimePasses(world.clock, Promise.all([world.first, world.second]))).toEqual([200, 200]);
    expect([timesAsked(world), codesSent(world)]).toEqual([1, 1]);
    expect(world.user.shown).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });
});

describe('signing out in another process', () => {
  it('ends the login that waits, for all who wait for it, and its page is worth nothing (OUT-01, OUT-02)', async () => {
    const world = await joined();
    const third = world.another();
    await third.signOut();
    const failures = Promise.all([failureOfCall(world.first), failureOfCall(world.second)]);
    expect(await whileTimePasses(world.clock, failures)).toMatchObject([{ code: 'signed_out' }, { code: 'signed_out' }]);
    const callback = await world.servers.approve(world.shown.authorizationUrl);
    for (const client of [world.client, world.other, third]) {
      expect(await failureOfCall(client.completeAuthorization(callback))).toMatchObject({ code: 'callback_not_expected' });
    }
    expect(codesSent(world)).toBe(0);
    expect(world.user.shown).toHaveLength(1);
  });

  it('also ends one whose code is on its way: its tokens are not kept (OUT-02)', async () => {
    const world = await joined();
    let answer = (): void => {};
    world.servers.respond('token', async (_, proceed) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return proceed();
    });
    world.client.completeAuthorization(await world.servers.approve(world.shown.authorizationUrl)).catch(() => {});
    await untilStep(world.client, 'exchanging');
    while (codesSent(world) === 0) await settled();
    await world.another().signOut();
    answer();
    expect(await whileTimePasses(world.clock, failureOfCall(world.first))).toMatchObject({ code: 'signed_out' });
    expect(await whileTimePasses(world.clock, failureOfCall(world.second))).toMatchObject({ code: 'signed_out' });
    expect(await world.another().accessToken()).toBeUndefined();
  });

  it('leaves room for the next login (OUT-02)', async () => {
    const world = await joined();
    await world.another().signOut();
    await whileTimePasses(world.clock, Promise.allSettled([world.first, world.second]));
    const again = call(world, world.other);
    const asked = await whileTimePasses(world.clock, untilStep(world.other, 'awaiting-user'));
    await world.other.completeAuthorization(await world.servers.approve(asked.authorizationUrl));
    expect(await again).toBe(200);
    expect(await whileTimePasses(world.clock, call(world, world.client))).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });
});
