import { describe, expect, it } from 'vitest';
import type { FetchLike } from '../../src/options.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, settled, untilStep } from '../helpers/waiting.ts';

const many = (count: number, { client, servers }: Scene): Promise<Response>[] =>
  Array.from({ length: count }, () => client.fetch(servers.resource.url, CALL));

const codesOf = async (requests: readonly Promise<unknown>[]): Promise<readonly string[]> =>
  (await Promise.all(requests.map(failureOfCall))).map(({ code }) => code);

/** Holds the answers of the resource back, so that a test decides when each arrives. */
function heldAnswers() {
  const held: (() => void)[] = [];
  let isHolding = false;
  const wrapFetch =
    (fetch: FetchLike): FetchLike =>
    async (input, init) => {
      const response = await fetch(input, init);
      if (isHolding && String(input).endsWith('/mcp')) await new Promise<void>((resolve) => held.push(resolve));
      return response;
    };
  return {
    wrapFetch,
    held,
    hold: (value: boolean) => {
      isHolding = value;
    },
  };
}

describe('requests that are challenged together', () => {
  it('share one authorization, a hundred of them (FET-06)', async () => {
    const stage = scene();
    const responses = await Promise.all(many(100, stage));
    expect(responses.map(({ status }) => status)).toEqual(Array(100).fill(200));
    expect(stage.user.shown).toHaveLength(1);
    expect(stage.servers.requestsFor('token')).toHaveLength(1);
    expect(stage.servers.requestsFor('registration')).toHaveLength(1);
    expect(stage.servers.requestsFor('resource')).toHaveLength(200);
    expect(stage.servers.violations).toEqual([]);
  });

  it('share one refresh, a hundred of them (FET-06)', async () => {
    const stage = scene();
    await stage.client.authorize();
    stage.servers.authorizationServer.expireAccessTokens();
    const responses = await Promise.all(many(100, stage));
    expect(responses.map(({ status }) => status)).toEqual(Array(100).fill(200));
    expect(stage.user.shown).toHaveLength(1);
    expect(stage.servers.requestsFor('token').map(({ form }) => form.get('grant_type'))).toEqual(['authorization_code', 'refresh_token']);
    expect(stage.servers.violations).toEqual([]);
  });

  it('share one refresh before use, a hundred of them (FET-06, FET-09)', async () => {
    const stage = scene();
    await stage.client.authorize();
    await stage.clock.advance(3_590_000);
    await Promise.all(many(100, stage));
    expect(stage.servers.requestsFor('token')).toHaveLength(2);
    expect(stage.servers.requestsFor('resource').every(({ status }) => status === 401 || status === 200)).toBe(true);
    expect(stage.servers.requestsFor('resource').filter(({ status }) => status === 401)).toHaveLength(1);
  });

  it('fail together when the user refuses (FET-06)', async () => {
    const stage = scene({ act: (on, url) => on.deny(url) });
    expect(await codesOf(many(20, stage))).toEqual(Array(20).fill('authorization_denied'));
    expect(stage.user.shown).toHaveLength(1);
  });

  it('wait for a login that is under way instead of being sent without a token (FET-06)', async () => {
    const stage = scene({ act: () => undefined });
    const first = stage.client.fetch(stage.servers.resource.url, CALL);
    const { authorizationUrl } = await untilStep(stage.client, 'awaiting-user');
    const sent = stage.servers.requestsFor('resource').length;
    const others = many(20, stage);
    await settled();
    expect(stage.servers.requestsFor('resource')).toHaveLength(sent);
    await stage.client.completeAuthorization(await stage.servers.approve(authorizationUrl));
    expect((await Promise.all([first, ...others])).map(({ status }) => status)).toEqual(Array(21).fill(200));
    expect(stage.servers.requestsFor('resource').filter(({ status }) => status === 401)).toHaveLength(1);
  });
});

describe('a late 401', () => {
  it('for a token that has been replaced is sent again with the current one, and starts nothing (FET-06)', async () => {
    const answers = heldAnswers();
    const stage = scene({ wrapFetch: answers.wrapFetch });
    await stage.client.authorize();
    stage.servers.authorizationServer.expireAccessTokens();
    answers.hold(true);
    const late = many(5, stage);
    await settled();
    answers.hold(false);
    expect((await stage.client.fetch(stage.servers.resource.url, CALL)).status).toBe(200);
    const tokenRequests = stage.servers.requestsFor('token').length;
    for (const release of answers.held) release();
    expect((await Promise.all(late)).map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(stage.servers.requestsFor('token')).toHaveLength(tokenRequests);
    expect(stage.user.shown).toHaveLength(1);
  });

  it('after the shared flow has failed shares its failure, and asks nobody again (FET-06)', async () => {
    const answers = heldAnswers();
    const stage = scene({ wrapFetch: answers.wrapFetch, act: (on, url) => on.deny(url) });
    await stage.client.restore();
    answers.hold(true);
    const late = many(5, stage);
    await settled();
    answers.hold(false);
    expect(await codesOf(many(1, stage))).toEqual(['authorization_denied']);
    for (const release of answers.held) release();
    expect(await codesOf(late)).toEqual(Array(5).fill('authorization_denied'));
    expect(stage.user.shown).toHaveLength(1);
  });

  it('after the flow was cancelled is told so, and starts no other (FET-06, FET-07)', async () => {
    const answers = heldAnswers();
    const stage = scene({ wrapFetch: answers.wrapFetch, act: () => undefined });
    await stage.client.restore();
    answers.hold(true);
    const late = many(2, stage);
    await settled();
    answers.hold(false);
    const waiting = many(1, stage);
    await untilStep(stage.client, 'awaiting-user');
    await settled();
    stage.client.cancel();
    for (const release of answers.held) release();
    expect(await codesOf([...waiting, ...late])).toEqual(Array(3).fill('cancelled'));
    expect(stage.user.shown).toHaveLength(1);
  });

  it('of a request whose account has been signed out meanwhile starts no login (FET-06)', async () => {
    const answers = heldAnswers();
    const stage = scene({ wrapFetch: answers.wrapFetch });
    await stage.client.authorize();
    stage.servers.authorizationServer.expireAccessTokens();
    answers.hold(true);
    const late = many(1, stage);
    await settled();
    answers.hold(false);
    await stage.client.signOut();
    for (const release of answers.held) release();
    expect(await codesOf(late)).toEqual(['signed_out']);
    expect(stage.user.shown).toHaveLength(1);
    expect((await stage.client.fetch(stage.servers.resource.url, CALL)).status).toBe(200);
    expect(stage.user.shown).toHaveLength(2);
  });

  it('on a token that is rejected as well ends in one rejection, not in a second authorization (FET-04, FET-06)', async () => {
    const answers = heldAnswers();
    const stage = scene({ wrapFetch: answers.wrapFetch });
    await stage.client.restore();
    answers.hold(true);
    const late = many(3, stage);
    await settled();
    answers.hold(false);
    await stage.client.authorize();
    stage.servers.resource.options.acceptsTokens = false;
    for (const release of answers.held) release();
    expect(await codesOf(late)).toEqual(Array(3).fill('access_token_rejected'));
    expect(stage.user.shown).toHaveLength(1);
  });
});

describe('requests after a failure', () => {
  it('start a new flow (FET-06)', async () => {
    let refusals = 1;
    const stage = scene({ act: (on, url) => (refusals-- > 0 ? on.deny(url) : on.approve(url)) });
    expect(await codesOf(many(3, stage))).toEqual(Array(3).fill('authorization_denied'));
    expect((await Promise.all(many(3, stage))).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(stage.user.shown).toHaveLength(2);
  });
});
