import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';
import { currentCaller } from '../../src/gateway/current-caller.ts';
import { gatewayHandler } from '../../src/gateway/gateway-handler.ts';
import { protect } from '../../src/gateway/protect.ts';
import { codeForm, post, RESOURCE } from '../helpers/gateway-scene.ts';
import { localServer } from '../helpers/local-server.ts';
import { callbackUrl, type ScriptedGateway, scriptedGateway } from '../helpers/scripted-gateway.ts';
import { signingKey } from '../helpers/signing-key.ts';

const CALLERS = 200;
/** When a caller goes away. */
const MOMENTS = ['while-its-client-is-made', 'in-the-tool', 'after-the-first-chunk'] as const;
type Moment = (typeof MOMENTS)[number];
/** Names the moment, and the caller. */
const LEAVES = 'x-leaves';

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
  const leaving = new Map<string, () => void>();
  /** Here the caller goes away, if this is the moment it was to; what was at work learns of it and goes on. */
  const momentToLeave = async (moment: Moment, request: Request | undefined): Promise<void> => {
    const [leaves, n = ''] = (request?.headers.get(LEAVES) ?? '').split(' ');
    if (request === undefined || leaves !== moment) return;
    const gone = new Promise((resolve) => {
      request.signal.addEventListener('abort', resolve, { once: true });
    });
    leaving.get(n)?.();
    await gone;
  };
  const pause = async (): Promise<void> => {
    for (let turn = (clients.length * 7) % 11; turn > 0; turn -= 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const mcp = createMcpHandler(() => {
    const server = new McpServer({ name: 'who-calls', version: '1.0.0' });
    server.registerTool(
      'who_calls',
      { description: 'Who calls.', inputSchema: fromJsonSchema<{ n: number }>({ type: 'object', properties: { n: { type: 'number' } } }) },
      async ({ n }, { http, mcpReq }) => {
        const before = currentCaller<OwnClient>();
        await pause();
        await momentToLeave('in-the-tool', http?.req);
        const progressToken = mcpReq._meta?.progressToken;
        if (progressToken !== undefined) {
          const gone = new Promise((resolve) => http?.req?.signal.addEventListener('abort', resolve, { once: true }));
          await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1 } });
          await gone;
        }
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
      async createClient({ token, request }) {
        await pause();
        await momentToLeave('while-its-client-is-made', request);
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
  const { origin } = await localServer((request, response) => void answer(request as Parameters<typeof answer>[0], response));
  const callers = await Promise.all(Array.from({ length: CALLERS }, (_, n) => signedIn(scene, n)));
  return { url: `${origin}/mcp`, callers, clients, leaving };
}

async function signedIn(scene: ScriptedGateway, n: number): Promise<CallerOfTest> {
  const browser = scene.browser();
  const { clientId, upstream } = await scene.leave(browser);
  const landing = await browser.open(callbackUrl(upstream, { code: `caller-${n}` }));
  const { body } = await post(scene.gateway, 'token', codeForm(clientId, landing));
  return { n, clientId, token: String(body['access_token']) };
}

function whoCalls(
  url: string,
  { n, token }: CallerOfTest,
  leaves?: { readonly at: Moment; readonly signal: AbortSignal },
): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const meta = leaves?.at === 'after-the-first-chunk' && { _meta: { progressToken: n } };
  return fetch(url, {
    method: 'POST',
    headers: { ...headers, ...(leaves && { [LEAVES]: `${leaves.at} ${n}` }) },
    body: JSON.stringify({ jsonrpc: '2.0', id: n, method: 'tools/call', params: { name: 'who_calls', arguments: { n }, ...meta } }),
    ...(leaves && { signal: leaves.signal }),
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

it(`${TITLE} are not disturbed by as many that go away, whose clients are closed, too (GWY-11)`, async () => {
  const { url, callers, clients, leaving } = await stack('opaque');
  const goAway = async (caller: CallerOfTest): Promise<string> => {
    const gone = new AbortController();
    leaving.set(String(caller.n), () => gone.abort());
    const at = MOMENTS[caller.n % MOMENTS.length] ?? 'in-the-tool';
    try {
      const response = await whoCalls(url, caller, { at, signal: gone.signal });
      const reader = response.body?.getReader();
      const first = await reader?.read();
      if (at === 'after-the-first-chunk') gone.abort();
      await reader?.read();
      return `answered: ${new TextDecoder().decode(first?.value)}`;
    } catch (thrown) {
      return (thrown as Error).name;
    }
  };
  const [ends] = await Promise.all([
    Promise.all(callers.map(goAway)),
    Promise.all(callers.map(async (caller) => expectOwnAnswer(await whoCalls(url, caller), caller))),
  ]);
  expect(new Set(ends)).toEqual(new Set(['AbortError']));
  // Every call had a client, also the one whose caller did not wait for it.
  await expect.poll(() => clients).toHaveLength(2 * CALLERS);
  await expect.poll(() => clients.filter(({ closed }) => closed !== 1)).toEqual([]);
  await Promise.all(callers.map(async (caller) => expectOwnAnswer(await whoCalls(url, caller), caller)));
});
