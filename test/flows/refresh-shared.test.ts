import { describe, expect, it } from 'vitest';
import type { AuthorizationClient } from '../../src/client.ts';
import { createCredentialRecords } from '../../src/records/credential-records.ts';
import type { RecordedRequest } from '../fixtures/scripted/recording.ts';
import { holdWrite } from '../helpers/held-write.ts';
import { CALL } from '../helpers/scripted-client.ts';
import { type SignedIn, signedIn, UNTIL_DUE_MS, UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { failureOfCall, settled, whileTimePasses } from '../helpers/waiting.ts';

const ISSUER = 'https://login.example.com';
const callOf = async ({ servers }: SignedIn, client: AuthorizationClient): Promise<number> =>
  (await client.fetch(servers.resource.url, CALL)).status;

/** Another process that takes no part in leases: sends the refresh token it finds in the request, and stores what it gets. */
async function rotateElsewhere({ servers, store }: SignedIn, { url, headers, body }: RecordedRequest): Promise<void> {
  const answer = (await (await servers.fetch(url.href, { method: 'POST', headers, body })).json()) as Record<string, string>;
  const records = createCredentialRecords({ store, vault: store, resource: servers.resource.url, account: 'default' });
  const { facts } = (await records.read(ISSUER)) ?? {};
  if (facts === undefined) throw new Error('there is no credential to replace');
  const { version: _, ...rest } = facts;
  const now = Math.floor(new Date('2026-01-01T02:00:00Z').getTime() / 1000);
  await records.save(
    { ...rest, obtainedAtEpochSeconds: now, expiresAtEpochSeconds: now + 3600 },
    { accessToken: answer['access_token'] ?? '', refreshToken: answer['refresh_token'] ?? '' },
  );
}

describe('clients that share a store', () => {
  it('refresh once when they refresh at once, and adopt the result (RFR-05)', async () => {
    const stage = await signedIn();
    const clients = [stage.client, ...Array.from({ length: 7 }, () => stage.another())];
    await Promise.all(clients.map((client) => client.restore()));
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    const statuses = await whileTimePasses(stage.clock, Promise.all(clients.map((client) => callOf(stage, client))));
    expect(statuses).toEqual(Array(8).fill(200));
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(stage.servers.violations).toEqual([]);
  });

  it('refresh once when they are challenged at once (RFR-05)', async () => {
    const stage = await signedIn();
    const clients = [stage.client, stage.another(), stage.another()];
    await Promise.all(clients.map((client) => client.restore()));
    stage.servers.authorizationServer.expireAccessTokens();
    const statuses = await whileTimePasses(stage.clock, Promise.all(clients.map((client) => callOf(stage, client))));
    expect(statuses).toEqual([200, 200, 200]);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(stage.user.shown).toHaveLength(1);
    expect(stage.servers.violations).toEqual([]);
  });

  it('adopt what another has obtained a while ago instead of refreshing it again (RFR-05)', async () => {
    const stage = await signedIn();
    const other = stage.another();
    await other.restore();
    stage.servers.authorizationServer.expireAccessTokens();
    expect(await stage.call()).toBe(200);
    expect(await callOf(stage, other)).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
  });

  it('refresh what they have adopted when it has ended as well, in the same request (RFR-05, FET-04)', async () => {
    const stage = await signedIn();
    const other = stage.another();
    await other.restore();
    stage.servers.authorizationServer.expireAccessTokens();
    expect(await stage.call()).toBe(200);
    stage.servers.authorizationServer.expireAccessTokens();
    expect(await callOf(stage, other)).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token', 'refresh_token']);
    expect(stage.user.shown).toHaveLength(1);
  });

  it('adopt the login of another instead of asking the user again (RFR-05)', async () => {
    const stage = await signedIn();
    await stage.client.signOut();
    const other = stage.another();
    await other.restore();
    expect(await stage.call()).toBe(200);
    expect(await callOf(stage, other)).toBe(200);
    expect(stage.user.shown).toHaveLength(2);
  });

  it('wait while one of them refreshes slowly, and send nothing themselves (RFR-05)', async () => {
    const stage = await signedIn();
    const other = stage.another();
    await other.restore();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    let answer = (): void => {};
    stage.servers.respond('token', async (_, proceed) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return proceed();
    });
    const first = stage.call();
    await settled();
    const second = callOf(stage, other);
    // Longer than a lease lasts: its holder lives, and renews it.
    await stage.clock.advance(30_000);
    expect(stage.grants()).toEqual(['refresh_token']);
    answer();
    expect(await whileTimePasses(stage.clock, Promise.all([first, second]))).toEqual([200, 200]);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(stage.servers.violations).toEqual([]);
  });

  it('take over from one that has died, as soon as its lease has run out (RFR-05)', async () => {
    const stage = await signedIn();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    const acquire = stage.store.acquireLease;
    let key = '';
    Object.assign(stage.store, {
      acquireLease: async (...parameters: Parameters<typeof acquire>) => {
        if (key === '') {
          [key] = parameters;
          await acquire(key, 'a process that is dead', 4_000);
        }
        return acquire(...parameters);
      },
    });
    const startedAt = stage.clock.now();
    expect(await whileTimePasses(stage.clock, stage.call(), 100)).toBe(200);
    expect(stage.clock.now() - startedAt).toBeGreaterThanOrEqual(4_000);
    expect(stage.clock.now() - startedAt).toBeLessThan(5_000);
    expect(stage.grants()).toEqual(['refresh_token']);
  });

  it('give up as retryable when another does not come to an end, and lose nothing (RFR-05, RFR-03)', async () => {
    const stage = await signedIn({ client: { limits: { leaseWaitMs: 10_000 } } });
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    const acquire = stage.store.acquireLease;
    Object.assign(stage.store, { acquireLease: async () => undefined });
    expect(await whileTimePasses(stage.clock, failureOfCall(stage.call()))).toMatchObject({ code: 'refresh_busy', retryable: true });
    Object.assign(stage.store, { acquireLease: acquire });
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
  });

  it('use the token they have while another does not come to an end (RFR-05, RFR-03)', async () => {
    const stage = await signedIn({ client: { limits: { leaseWaitMs: 10_000 } } });
    await stage.clock.advance(UNTIL_DUE_MS);
    Object.assign(stage.store, { acquireLease: async () => undefined });
    expect(await whileTimePasses(stage.clock, stage.call())).toBe(200);
    expect(stage.grants()).toEqual([]);
  });
});

describe('a process that was asleep during its refresh', () => {
  it('adopts what another has refreshed meanwhile, and sends the old token no second time (RFR-05)', async () => {
    const stage = await signedIn();
    const other = stage.another();
    await other.restore();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    stage.servers.respond('token', 503);
    const asleep = stage.call();
    await settled();
    // Its timers have not run: neither the pause is over nor the lease renewed.
    stage.clock.jumpTo(stage.clock.now() + 60_000);
    expect(await callOf(stage, other)).toBe(200);
    expect(await whileTimePasses(stage.clock, asleep)).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token', 'refresh_token']);
    expect(stage.servers.violations).toEqual([]);
  });
});

describe('a process that was asleep between its turn and its refresh', () => {
  it('adopts what another has refreshed meanwhile (RFR-05)', async () => {
    const stage = await signedIn();
    const other = stage.another();
    await other.restore();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    const fallenAsleep = holdWrite(stage.store, (key) => key.startsWith('rotation/'));
    const asleep = stage.call();
    await fallenAsleep.reached;
    stage.clock.jumpTo(stage.clock.now() + 60_000);
    expect(await callOf(stage, other)).toBe(200);
    fallenAsleep.release();
    expect(await whileTimePasses(stage.clock, asleep)).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(stage.servers.violations).toEqual([]);
  });
});

describe('a process that was asleep before it tries again', () => {
  it('waits for the one that has taken its turn over (RFR-05)', async () => {
    const stage = await signedIn();
    const other = stage.another();
    await other.restore();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    stage.servers.respond('token', 503);
    const asleep = stage.call();
    await settled();
    stage.clock.jumpTo(stage.clock.now() + 60_000);
    let answer = (): void => {};
    stage.servers.respond('token', async (_, proceed) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return proceed();
    });
    const working = callOf(stage, other);
    await settled();
    await stage.clock.advance(10_000);
    expect(stage.grants()).toEqual(['refresh_token', 'refresh_token']);
    answer();
    expect(await whileTimePasses(stage.clock, Promise.all([asleep, working]))).toEqual([200, 200]);
    expect(stage.grants()).toEqual(['refresh_token', 'refresh_token']);
    expect(stage.servers.violations).toEqual([]);
  });
});

describe('invalid_grant on a refresh', () => {
  it('is not the end where another has rotated meanwhile: its tokens are adopted, nothing is wiped (RFR-04)', async () => {
    const stage = await signedIn();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    stage.servers.respond('token', async (request) => {
      await rotateElsewhere(stage, request);
      return Response.json({ error: 'invalid_grant' }, { status: 400 });
    });
    expect(await stage.call()).toBe(200);
    expect(stage.user.shown).toHaveLength(1);
    expect((await stage.another().restore()).step).toBe('authorized');
  });

  it('after a 401 is not the end either (RFR-04)', async () => {
    const stage = await signedIn();
    stage.servers.authorizationServer.expireAccessTokens();
    stage.servers.respond('token', async (request) => {
      await rotateElsewhere(stage, request);
      return Response.json({ error: 'invalid_grant' }, { status: 400 });
    });
    expect(await stage.call()).toBe(200);
    expect(stage.user.shown).toHaveLength(1);
  });

  it('is the end where nobody has: the tokens are forgotten in the store as well (RFR-04)', async () => {
    const stage = await signedIn();
    stage.servers.authorizationServer.revokeRefreshTokens();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    expect(await stage.client.accessToken()).toBeUndefined();
    expect(stage.client.status.step).toBe('unauthorized');
    const restarted = stage.another();
    expect((await restarted.restore()).step).toBe('unauthorized');
    expect(stage.grants()).toEqual(['refresh_token']);
  });

  it('of a token that another process stored, and that has ended too, leads to one login (RFR-04)', async () => {
    const stage = await signedIn();
    const other = stage.another();
    await other.restore();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    expect(await stage.call()).toBe(200);
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    stage.servers.authorizationServer.revokeRefreshTokens();
    expect(await callOf(stage, other)).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token', 'refresh_token', 'authorization_code']);
    expect(stage.user.shown).toHaveLength(2);
  });
});
