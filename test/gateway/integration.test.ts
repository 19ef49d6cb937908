/**
 * What a client may expect of any protected MCP server. By default against a gateway of
 * its own; against a server of yours with its URL and the tokens of two people:
 *
 *     MCP_SERVER_URL=… MCP_TEST_AUTH_TOKEN=… MCP_TEST_AUTH_TOKEN_2=… npm test -- test/gateway/integration.test.ts
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseChallenges } from '../../src/protocol/challenge.ts';
import { isInsideResource } from '../../src/protocol/resource-identifier.ts';
import { serverMetadataUrls } from '../../src/protocol/well-known.ts';
import { type IntegrationTarget, integrationTarget } from './integration-target.ts';

let target: IntegrationTarget;
beforeAll(async () => {
  target = await integrationTarget();
});
afterAll(() => target?.close());

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'authchart-integration', version: '1.0.0' } },
};
const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list' };

function send(message: object, headers: Readonly<Record<string, string>> = {}, url = target.url): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify(message),
  });
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

function bearerChallenge(response: Response): ReadonlyMap<string, string> {
  const [challenge] = parseChallenges(response.headers.get('www-authenticate') ?? '').filter(({ scheme }) => /^bearer$/i.test(scheme));
  return new Map(challenge?.parameters ?? []);
}

async function json(url: string): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(url, { headers: { accept: 'application/json' } });
  expect([response.status, response.headers.get('content-type')], url).toEqual([200, expect.stringContaining('application/json')]);
  return (await response.json()) as Readonly<Record<string, unknown>>;
}

it('without a token it answers 401 and says where its metadata is (GWY-13, GWY-15)', async () => {
  const response = await send(INITIALIZE);
  expect(response.status).toBe(401);
  expect(bearerChallenge(response).get('resource_metadata')).toMatch(/^https?:\/\//);
  expect(bearerChallenge(response).has('error')).toBe(false);
});

it('its metadata is about it, and leads to an authorization server that says the same of itself (GWY-02, GWY-15)', async () => {
  const metadata = await json(bearerChallenge(await send(INITIALIZE)).get('resource_metadata') ?? '');
  expect(isInsideResource(String(metadata['resource']), new URL(target.url), 'path')).toBe(true);
  const [issuer] = metadata['authorization_servers'] as readonly string[];
  const found: unknown[] = [];
  for (const url of serverMetadataUrls(issuer ?? '')) {
    const response = await fetch(url);
    if (response.ok) found.push(await response.json());
  }
  expect(found[0]).toMatchObject({
    issuer,
    authorization_endpoint: expect.stringMatching(/^https?:/),
    token_endpoint: expect.stringMatching(/^https?:/),
    code_challenge_methods_supported: expect.arrayContaining(['S256']),
  });
});

it('a token it does not know is 401, and says that the token is the reason (GWY-09, GWY-15)', async () => {
  const [token] = target.tokens;
  // The last character of a signature may hold bits that count for nothing.
  const middle = Math.floor(token.length * 0.9);
  const changed = `${token.slice(0, middle)}${token[middle] === 'A' ? 'B' : 'A'}${token.slice(middle + 1)}`;
  for (const bad of ['not-a-token', changed]) {
    const response = await send(INITIALIZE, bearer(bad));
    expect([response.status, bearerChallenge(response).get('error')]).toEqual([401, 'invalid_token']);
  }
});

it('a token in the query is not looked at (GWY-13, GWY-15)', async () => {
  const url = new URL(target.url);
  url.searchParams.set('access_token', target.tokens[0]);
  expect((await send(INITIALIZE, {}, url.href)).status).toBe(401);
});

it('both tokens work at once, and what one began the other cannot go on with (GWY-11, GWY-15)', async () => {
  const [one, other] = target.tokens;
  const answers = await Promise.all([one, other, one, other].map((token) => send(INITIALIZE, bearer(token))));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  for (const answer of answers) expect(await answer.text()).toContain('"serverInfo"');
  const sessions = answers.map(({ headers }) => headers.get('mcp-session-id')).filter((id) => id !== null);
  // A server has a session for each, or none at all.
  expect(target.isOwn ? [4] : [0, 4]).toContain(new Set(sessions).size);
  for (const [n, id] of sessions.entries()) {
    const [own = '', foreign = ''] = n % 2 === 0 ? [one, other] : [other, one];
    const within = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' };
    const stolen = await send(LIST, { ...bearer(foreign), ...within });
    expect(stolen.status).toBeGreaterThanOrEqual(400);
    expect(stolen.status).toBeLessThan(500);
    expect((await send(LIST, within)).status).toBe(401);
    const allowed = await send(LIST, { ...bearer(own), ...within });
    expect([allowed.status, await allowed.text()]).toEqual([200, expect.stringContaining('"tools"')]);
  }
});

it.each(['legacy', 'auto'] as const)(
  'the official client lists the tools with either token, speaking as in %s (GWY-01, GWY-15)',
  async (mode) => {
    const lists = await Promise.all(
      target.tokens.map(async (token) => {
        const client = new Client({ name: 'authchart-integration', version: '1.0.0' }, { versionNegotiation: { mode } });
        await client.connect(new StreamableHTTPClientTransport(new URL(target.url), { requestInit: { headers: bearer(token) } }));
        const { tools } = await client.listTools();
        await client.close();
        return tools.map(({ name }) => name);
      }),
    );
    expect(lists[0]?.length).toBeGreaterThan(0);
    expect(lists[1]?.length).toBeGreaterThan(0);
  },
);
