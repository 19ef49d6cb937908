import { describe, expect, it } from 'vitest';
import { htmlPage, networkFails } from '../fixtures/scripted/bad-answers.ts';
import type { Responder } from '../fixtures/scripted/overrides.ts';
import { signedIn, UNTIL_DUE_MS, UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { failureOfCall, settled, whileTimePasses } from '../helpers/waiting.ts';

const outage =
  (status: number, headers: Record<string, string> = {}): Responder =>
  () =>
    new Response('down', { status, headers });
const oauthError =
  (error: string, status: number): Responder =>
  () =>
    Response.json({ error }, { status });

const OUTAGES: readonly [string, Responder, string][] = [
  ['500', outage(500), 'server_unavailable'],
  ['502', outage(502), 'server_unavailable'],
  ['503', outage(503), 'server_unavailable'],
  ['408', outage(408), 'server_unavailable'],
  ['429', outage(429), 'server_unavailable'],
  ['500 with invalid_grant in its body', oauthError('invalid_grant', 500), 'server_unavailable'],
  ['429 with invalid_client in its body', oauthError('invalid_client', 429), 'server_unavailable'],
  ['temporarily_unavailable', oauthError('temporarily_unavailable', 400), 'server_unavailable'],
  ['server_error', oauthError('server_error', 400), 'server_unavailable'],
  ['a broken connection', networkFails, 'network_unreachable'],
];

describe('a refresh that cannot be had now', () => {
  it.each(OUTAGES)(
    'keeps every credential on %s, and surfaces as retryable once the token has expired (RFR-03)',
    async (_, answer, code) => {
      const stage = await signedIn();
      const { servers, clock, user, client } = stage;
      const override = servers.respond('token', answer, { times: Infinity });
      await clock.advance(UNTIL_EXPIRED_MS);
      const failure = await whileTimePasses(clock, failureOfCall(stage.call()));
      expect(failure).toMatchObject({ code, phase: 'refresh', retryable: true, action: 'retry' });
      expect(client.status).toMatchObject({ step: 'failed', failure: { retryable: true } });
      expect(user.shown).toHaveLength(1);
      override.remove();
      expect(await whileTimePasses(clock, stage.call())).toBe(200);
      expect(user.shown).toHaveLength(1);
      expect(servers.violations).toEqual([]);
    },
  );

  it.each(OUTAGES)(
    'does not become a login prompt on %s either where the resource has rejected the token (RFR-03)',
    async (_, answer, code) => {
      const stage = await signedIn();
      const { servers, clock, user } = stage;
      servers.authorizationServer.expireAccessTokens();
      const override = servers.respond('token', answer, { times: Infinity });
      expect(await whileTimePasses(clock, failureOfCall(stage.call()))).toMatchObject({ code, retryable: true });
      override.remove();
      expect(await whileTimePasses(clock, stage.call())).toBe(200);
      expect(user.shown).toHaveLength(1);
    },
  );

  it.each(OUTAGES)('disturbs no request on %s while the token still lives (RFR-03, FET-09)', async (_, answer) => {
    const stage = await signedIn();
    const { servers, clock, client } = stage;
    await clock.advance(UNTIL_DUE_MS);
    servers.respond('token', answer, { times: Infinity });
    expect(await whileTimePasses(clock, stage.call())).toBe(200);
    expect(client.status).toMatchObject({ step: 'authorized', warning: { details: { tokenStillUsable: true } } });
  });

  it('is tried three times with growing pauses, and again by the next request (RFR-03)', async () => {
    const stage = await signedIn();
    const { servers, clock } = stage;
    await clock.advance(UNTIL_EXPIRED_MS);
    servers.respond('token', 500, { times: 5 });
    expect(await whileTimePasses(clock, failureOfCall(stage.call()), 50)).toMatchObject({
      code: 'server_unavailable',
      details: { status: 500 },
    });
    expect(stage.grants()).toHaveLength(3);
    expect(await whileTimePasses(clock, stage.call(), 50)).toBe(200);
    expect(stage.grants()).toHaveLength(6);
    expect(servers.violations).toEqual([]);
  });

  it('is left alone for a while after it failed for a token that still lives, so that it does not slow down every request (RFR-03)', async () => {
    const stage = await signedIn();
    const { servers, clock } = stage;
    await clock.advance(UNTIL_DUE_MS);
    servers.respond('token', 503, { times: Infinity });
    await whileTimePasses(clock, Promise.all(Array.from({ length: 20 }, () => stage.call())));
    await stage.call();
    expect(stage.grants()).toHaveLength(3);
    await clock.advance(10_000);
    await whileTimePasses(clock, stage.call());
    expect(stage.grants()).toHaveLength(6);
  });

  it('waits as long as Retry-After asks for (RFR-03)', async () => {
    const stage = await signedIn();
    const { servers, clock } = stage;
    await clock.advance(UNTIL_EXPIRED_MS);
    servers.respond('token', outage(429, { 'retry-after': '7' }));
    const pending = stage.call();
    await settled();
    await clock.advance(6_900);
    expect(stage.grants()).toHaveLength(1);
    await clock.advance(200);
    expect(await pending).toBe(200);
    expect(stage.grants()).toHaveLength(2);
  });

  it('does not wait longer than its limit, and says what the server asked for (RFR-03)', async () => {
    const stage = await signedIn();
    const { servers, clock } = stage;
    await clock.advance(UNTIL_EXPIRED_MS);
    servers.respond('token', outage(429, { 'retry-after': '86400' }), { times: 3 });
    const startedAt = clock.now();
    const failure = await whileTimePasses(clock, failureOfCall(stage.call()));
    expect(failure).toMatchObject({ code: 'server_unavailable', details: { retryAfterSeconds: 86_400, status: 429 } });
    expect(clock.now() - startedAt).toBeLessThan(25_000);
  });

  it('stays as it was on an answer that is no token response (RFR-03, TOK-03)', async () => {
    const stage = await signedIn();
    const { servers, clock, user } = stage;
    await clock.advance(UNTIL_EXPIRED_MS);
    servers.respond('token', htmlPage);
    expect(await whileTimePasses(clock, failureOfCall(stage.call()))).toMatchObject({ code: 'token_response_invalid', phase: 'refresh' });
    expect(await stage.call()).toBe(200);
    expect(user.shown).toHaveLength(1);
  });

  it('whose answer was lost is not repeated for ever, and ends in one login (RFR-03)', async () => {
    const stage = await signedIn();
    const { servers, clock, user } = stage;
    await clock.advance(UNTIL_EXPIRED_MS);
    servers.respond('token', async (request, proceed) => {
      await proceed();
      return networkFails(request, proceed);
    });
    expect(await whileTimePasses(clock, stage.call())).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token', 'refresh_token', 'authorization_code']);
    expect(user.shown).toHaveLength(2);
  });
});

describe('a clock that is corrected', () => {
  it('forwards makes the token due, and backwards leaves it in use (FET-09)', async () => {
    const stage = await signedIn();
    const { servers, clock } = stage;
    clock.jumpTo(clock.now() - 86_400_000);
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual([]);
    clock.jumpTo(clock.now() + 2 * 86_400_000);
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(servers.violations).toEqual([]);
  });
});

describe('the end of a refresh token', () => {
  it('is an OAuth error that says so: the resource is asked, and then the user, once (RFR-03, RFR-01)', async () => {
    const stage = await signedIn();
    const { servers, clock, user } = stage;
    servers.authorizationServer.revokeRefreshTokens();
    await clock.advance(UNTIL_EXPIRED_MS);
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token', 'authorization_code']);
    expect(
      servers
        .requestsFor('resource')
        .slice(-2)
        .map(({ status, headers }) => [status, headers.has('authorization')]),
    ).toEqual([
      [401, false],
      [200, true],
    ]);
    expect(user.shown).toHaveLength(2);
    expect(servers.violations).toEqual([]);
  });

  it('that the user then refuses to renew fails the request, and the next one does not try the dead token again (RFR-03)', async () => {
    let approvals = 1;
    const stage = await signedIn({ act: (on, url) => (approvals-- > 0 ? on.approve(url) : on.deny(url)) });
    const { servers } = stage;
    servers.authorizationServer.expireAccessTokens();
    servers.authorizationServer.revokeRefreshTokens();
    expect((await failureOfCall(stage.call())).code).toBe('authorization_denied');
    expect((await failureOfCall(stage.call())).code).toBe('authorization_denied');
    expect(stage.grants()).toEqual(['refresh_token']);
  });
});
