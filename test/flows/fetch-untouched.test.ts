import { describe, expect, it } from 'vitest';
import type { InspectionEvent } from 'xstate';
import type { FetchLike } from '../../src/options.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { settled } from '../helpers/waiting.ts';

/** What each request was given to fetch with, by its path. */
function recordingFetch() {
  const seen: { readonly url: URL; readonly init: RequestInit & { dispatcher?: unknown } }[] = [];
  const wrapFetch =
    (fetch: FetchLike): FetchLike =>
    (input, init) => {
      seen.push({ url: new URL(input instanceof Request ? input.url : input), init: init ?? {} });
      return fetch(input, init);
    };
  return { seen, wrapFetch };
}

describe("a caller's own headers and init", () => {
  it("with an Authorization header win: nothing is attached, and a 401 is the caller's business (FET-10)", async () => {
    const { client, servers, user } = scene();
    const response = await client.fetch(servers.resource.url, { headers: { Authorization: 'Basic own' } });
    expect(response.status).toBe(401);
    expect(servers.requestsFor('resource').map(({ headers }) => headers.get('authorization'))).toEqual(['Basic own']);
    expect(user.shown).toEqual([]);
    await client.authorize();
    await client.fetch(new Request(servers.resource.url, { headers: { authorization: 'Bearer own' } }));
    expect(servers.requests.at(-1)?.headers.get('authorization')).toBe('Bearer own');
  });

  it.each([
    ['an object', { 'X-Api-Key': 'SECRET-own-key', 'X-Tenant': 'one' }],
    [
      'pairs',
      [
        ['x-api-key', 'SECRET-own-key'],
        ['x-tenant', 'one'],
      ] as [string, string][],
    ],
    ['Headers', new Headers({ 'x-api-key': 'SECRET-own-key', 'x-tenant': 'one' })],
  ])('given as %s reach the resource every time, and the authorization server never (FET-10)', async (_, headers) => {
    const { client, servers } = scene();
    await client.fetch(servers.resource.url, { ...CALL, headers });
    servers.authorizationServer.expireAccessTokens();
    await client.fetch(servers.resource.url, { ...CALL, headers });
    for (const { purpose, headers: sent } of servers.requestsFor()) {
      expect([purpose, sent.get('x-api-key'), sent.get('x-tenant')]).toEqual(
        purpose === 'resource' ? [purpose, 'SECRET-own-key', 'one'] : [purpose, null, null],
      );
    }
  });

  it('such as a proxy dispatcher apply to that request alone (FET-10)', async () => {
    const { seen, wrapFetch } = recordingFetch();
    const { client, servers } = scene({ wrapFetch });
    const dispatcher = { proxy: true };
    const init = { ...CALL, dispatcher, keepalive: true, integrity: '', referrer: 'about:client', priority: 'high' } as RequestInit;
    await client.fetch(servers.resource.url, init);
    const ofResource = seen.filter(({ url }) => url.pathname === '/mcp');
    expect(ofResource.map(({ init: used }) => [used.dispatcher, used.keepalive])).toEqual([
      [dispatcher, true],
      [dispatcher, true],
    ]);
    const others = seen.filter(({ url }) => url.pathname !== '/mcp');
    expect(others).toHaveLength(4);
    for (const { init: used } of others) {
      expect(used).not.toHaveProperty('dispatcher');
      expect(used.keepalive).not.toBe(true);
    }
  });

  it('are not changed by it (FET-10)', async () => {
    const { client, servers } = scene();
    const headers = new Headers({ accept: 'application/json' });
    const init = Object.freeze({ method: 'POST', body: 'x', headers });
    await client.fetch(servers.resource.url, init);
    expect([...headers]).toEqual([['accept', 'application/json']]);
  });

  it('of a Request are sent, but for those that its init replaces, as fetch has it (FET-10)', async () => {
    const { client, servers } = scene();
    const request = new Request(servers.resource.url, { method: 'POST', body: 'x', headers: { 'x-one': '1' } });
    await client.fetch(request.clone());
    expect(servers.requests.at(-1)?.headers.get('x-one')).toBe('1');
    await client.fetch(request, { headers: { 'x-two': '2' } });
    expect(servers.requests.at(-1)?.headers.get('x-one')).toBeNull();
    expect(servers.requests.at(-1)?.headers.get('x-two')).toBe('2');
    expect(servers.requests.at(-1)?.headers.get('authorization')).toMatch(/^Bearer SECRET-/);
  });
});

describe('the authorised path', () => {
  it("has no store operation, no transition and no request beside the caller's (FET-11)", async () => {
    const inspected: InspectionEvent[] = [];
    const { client, servers, storeOperations } = scene({ client: { inspect: (event) => inspected.push(event) } });
    await client.fetch(servers.resource.url, CALL);
    await settled();
    const before = { stored: storeOperations(), inspected: inspected.length, sent: servers.requests.length };
    const statuses: string[] = [];
    client.subscribe(({ step }) => statuses.push(step));
    for (let count = 0; count < 50; count += 1) await client.fetch(servers.resource.url, CALL);
    await Promise.all(Array.from({ length: 50 }, () => client.fetch(new Request(servers.resource.url))));
    await settled();
    expect({ stored: storeOperations(), inspected: inspected.length, sent: servers.requests.length }).toEqual({
      ...before,
      sent: before.sent + 100,
    });
    expect(statuses).toEqual([]);
  });

  it('has none either for an access token handed out, or asked for again (FET-11)', async () => {
    const inspected: InspectionEvent[] = [];
    const { client, storeOperations } = scene({ client: { inspect: (event) => inspected.push(event) } });
    await client.authorize();
    await settled();
    const before = [storeOperations(), inspected.length];
    await client.accessToken();
    await client.authorize();
    expect([storeOperations(), inspected.length]).toEqual(before);
  });
});
