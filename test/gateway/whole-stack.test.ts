import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import { expect, it, onTestFinished } from 'vitest';
import { currentCaller } from '../../src/gateway/current-caller.ts';
import { gatewayHandler } from '../../src/gateway/gateway-handler.ts';
import { protect } from '../../src/gateway/protect.ts';
import { signingKey } from '../helpers/gateway-replicas.ts';
import { codeForm, post, RESOURCE } from '../helpers/gateway-scene.ts';
import { callbackUrl, type ScriptedGateway, scriptedGateway } from '../helpers/scripted-gateway.ts';

const CALLERS = 200;

interface OwnClient {
  readonly upstreamToken: string;
  closed: number;
}

interface CallerOfTest {
  readonly n: number;
  readonly clientId: string;
  readonly token: string;
}

/** The gateway, 200 grants of 200 clients, and an MCP server of the official SDK behind it, on real HTTP. */
async function stack(format: 'jwt' | 'opaque') {
  const scene = scriptedGateway({ tokens: { format, ...(format === 'jwt' && { signingKeys: [await signingKey('one')] }) } });
  // Whose token it is can be read in it.
  scene.provider.answer = (form) =>
    Response.json({ access_token: `upstream-of-${form.get('code')}`, token_type: 'Bearer', expires_in: 600, refresh_token: 'r' });
  const clients: OwnClient[] = [];
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, (clients.length * 7) % 11));
  const mcp = createMcpHandler(() => {
    const server = new McpServer({ name: 'who-calls', version: '1.0.0' });
    server.registerTool(
      'who_calls',
      { description: 'Who calls.', inputSchema: fromJsonSchema<{ n: number }>({ type: 'object', properties: { n: { type: 'number' } } }) },
      async ({ n }) => {
        const before = currentCaller<OwnClient>();
        await pause();
        const after = currentCaller<OwnClient>();
        const seen = [before, after].map((call) => `${call?.client.upstreamToken}/${call?.caller?.clientId}/${call?.client.closed}`);
        return { content: [{ type: 'text', text: JSON.stringify({ n, seen }) }] };
      },
    );
    return server;
  });
  const handle = gatewayHandler({
    gateway: scene.gateway,
    handler: protect<OwnClient>({
      resource: RESOURCE,
      validator: scene.gateway.validator,
      async createClient({ token }) {
        await pause();
        const client = { upstreamToken: token.token, closed: 0 };
        clients.push(client);
        return client;
      },
      closeClient: (client) => {
        client.closed += 1;
      },
      handler: (request) => mcp.fetch(request),
    }),
  });
  const answer = toNodeHandler({ fetch: handle });
  const http = createServer((request, response) => void answer(request as Parameters<typeof answer>[0], response));
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', resolve);
  });
  const close = async (): Promise<void> => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  };
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
  onTestFinished(close);
  const callers = await Promise.all(Array.from({ length: CALLERS }, (_, n) => signedIn(scene, n)));
  return { url, callers, clients };
}

async function signedIn(scene: ScriptedGateway, n: number): Promise<CallerOfTest> {
  const browser = scene.browser();
  const { clientId, upstream } = await scene.leave(browser);
  const landing = await browser.open(callbackUrl(upstream, { code: `caller-${n}` }));
  const { body } = await post(scene.gateway, 'token', codeForm(clientId, landing));
  return { n, clientId, token: String(body['access_token']) };
}

function whoCalls(url: string, { n, token }: CallerOfTest, signal?: AbortSignal): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: n, method: 'tools/call', params: { name: 'who_calls', arguments: { n } } }),
    ...(signal && { signal }),
  });
}

/** What the answer to this caller has to be, and nothing else. */
async function expectOwnAnswer(response: Response, { n, clientId }: CallerOfTest): Promise<void> {
  const own = `upstream-of-caller-${n}/${clientId}/0`;
  const [, data = ''] = /^data: (.*)$/m.exec(await response.text()) ?? [];
  const { id, result } = JSON.parse(data) as { id: number; result: { content: [{ text: string }] } };
  expect([id, JSON.parse(result.content[0].text)]).toEqual([n, { n, seen: [own, own] }]);
}

const TITLE = `${CALLERS} callers with tokens of their own grants`;

it.each(['jwt', 'opaque'] as const)(
  `${TITLE} (%s) call at once through gateway and MCP server, and each gets its own answer by its own client (GWY-08, GWY-11)`,
  async (format) => {
    const { url, callers, clients } = await stack(format);
    await Promise.all(callers.map(async (caller) => expectOwnAnswer(await whoCalls(url, caller), caller)));
    expect(new Set(clients.map(({ upstreamToken }) => upstreamToken)).size).toBe(CALLERS);
    await expect.poll(() => clients.every(({ closed }) => closed === 1)).toBe(true);
    expect(clients).toHaveLength(CALLERS);
  },
);

it(`${TITLE} are not disturbed by as many that go away at any moment, whose clients are closed, too (GWY-11)`, async () => {
  const { url, callers, clients } = await stack('opaque');
  let left = 0;
  const leaving = async (caller: CallerOfTest): Promise<void> => {
    const gone = new AbortController();
    setTimeout(() => gone.abort(), caller.n % 40);
    try {
      const response = await whoCalls(url, caller, gone.signal);
      await expectOwnAnswer(response, caller);
    } catch (thrown) {
      if ((thrown as Error).name !== 'AbortError') throw thrown;
      left += 1;
    }
  };
  await Promise.all(
    callers.flatMap((caller) => [whoCalls(url, caller).then((response) => expectOwnAnswer(response, caller)), leaving(caller)]),
  );
  expect(left).toBeGreaterThan(CALLERS / 4);
  await expect.poll(() => clients.filter(({ closed }) => closed !== 1)).toEqual([]);
  await Promise.all(callers.map(async (caller) => expectOwnAnswer(await whoCalls(url, caller), caller)));
});
