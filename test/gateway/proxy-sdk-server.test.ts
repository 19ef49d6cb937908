import { randomUUID } from 'node:crypto';
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { McpServer as CurrentServer, createMcpHandler } from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';
import { anyOf } from '../../src/gateway/any-of.ts';
import { gatewayHandler } from '../../src/gateway/gateway-handler.ts';
import { protect } from '../../src/gateway/protect.ts';
import type { ProtectedHandler } from '../../src/gateway/protect-options.ts';
import { reverseProxy } from '../../src/gateway/proxy/reverse-proxy.ts';
import { staticTokenValidator } from '../../src/gateway/static-token-validator.ts';
import { newClient } from '../bench/sdk-client.ts';
import { gatewayScene, RESOURCE } from '../helpers/gateway-scene.ts';
import { localServer } from '../helpers/local-server.ts';
import { MemoryProvider } from '../helpers/sdk-memory-provider.ts';
import { type SimulatedClock, simulatedClock } from '../helpers/simulated-clock.ts';

interface Backend {
  readonly url: string;
  readonly sessions: ReadonlyMap<string, unknown>;
  readonly servers: readonly McpServer[];
}

/** An MCP server with sessions and no login at all, that says who its gateway says is calling. */
async function startBackend(): Promise<Backend> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const servers: McpServer[] = [];
  const open = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    const server = new McpServer({ name: 'notes', version: '1.0.0' });
    server.registerTool('who_am_i', { description: 'Says who is calling.' }, ({ requestInfo }) => {
      return { content: [{ type: 'text', text: String(requestInfo?.headers['x-authchart-subject']) }] };
    });
    servers.push(server);
    await server.connect(transport as Transport);
    return transport;
  };
  const { origin } = await localServer((request, response) => {
    const session = request.headers['mcp-session-id'];
    const known = typeof session === 'string' ? sessions.get(session) : undefined;
    void (known === undefined ? open() : Promise.resolve(known)).then((transport) => transport.handleRequest(request, response));
  });
  return { url: `${origin}/mcp`, sessions, servers };
}

/** For a caller whose token ends in 15 minutes, each time that it is looked at. */
const protectedProxy = (clock: SimulatedClock, backend: string): ProtectedHandler =>
  protect({
    resource: RESOURCE,
    validator: {
      validate: async (token) => ({ token, subject: 'a', scopes: [], claims: {}, expiresAtEpochSeconds: clock.now() / 1000 + 900 }),
    },
    clock,
    ...reverseProxy({ resource: RESOURCE, backend }),
  });

it('puts a login before a server of the official SDK that has none: a sign-in, a session, a tool, and no session for anybody else (GWY-01, GWY-08, GWY-11)', async () => {
  const scene = await gatewayScene();
  const backend = await startBackend();
  const other = 'a-token-of-somebody-else';
  const handler = gatewayHandler({
    gateway: scene.gateway,
    handler: protect({
      resource: RESOURCE,
      validator: anyOf([scene.gateway.validator, staticTokenValidator([{ token: other, subject: 'other' }])]),
      ...reverseProxy({ resource: RESOURCE, backend: backend.url }),
    }),
  });
  const provider = new MemoryProvider();
  const transport = (): StreamableHTTPClientTransport =>
    new StreamableHTTPClientTransport(new URL(RESOURCE), {
      authProvider: provider,
      fetch: (input, init) => handler(new Request(input, init)),
    });
  const waiting = transport();
  await expect(newClient().connect(waiting)).rejects.toBeInstanceOf(UnauthorizedError);
  const browser = scene.browser();
  const landing = await browser.answer(await browser.open(String(provider.authorizationUrl)), 'allow');
  await waiting.finishAuth(landing.url.searchParams);

  const client = newClient();
  const connected = transport();
  await client.connect(connected);
  const result = await client.callTool({ name: 'who_am_i', arguments: {} });
  expect(result.content).toEqual([{ type: 'text', text: 'demo' }]);

  const { sessionId = '' } = connected;
  expect([sessionId.length > 43, backend.sessions.has(sessionId), backend.sessions.size]).toEqual([true, false, 1]);
  const stolen = await handler(
    new Request(RESOURCE, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${other}`,
        'mcp-session-id': sessionId,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'tools/list' }),
    }),
  );
  expect(stolen.status).toBe(404);
  await client.close();
});

it('ends the stream of a client with its token: the client of the official SDK comes again, and hears the server (GWY-01, GWY-09)', async () => {
  const clock = simulatedClock();
  const backend = await startBackend();
  const handler = protectedProxy(clock, backend.url);
  let opened = 0;
  const client = newClient();
  let heard = 0;
  client.setNotificationHandler('notifications/tools/list_changed', () => {
    heard += 1;
  });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(RESOURCE), {
      requestInit: { headers: { authorization: 'Bearer token' } },
      reconnectionOptions: { initialReconnectionDelay: 1, maxReconnectionDelay: 1, reconnectionDelayGrowFactor: 1, maxRetries: 100 },
      fetch: async (input, init) => {
        const request = new Request(input, init);
        const response = await handler(request);
        // 409 as long as the server behind has not noticed the end of the first.
        if (request.method === 'GET' && response.ok) opened += 1;
        return response;
      },
    }),
  );
  await expect.poll(() => opened).toBe(1);
  await clock.advance(930_000);
  await expect.poll(() => opened).toBe(2);
  backend.servers[0]?.sendToolListChanged();
  await expect.poll(() => heard).toBe(1);
  await client.close();
});

it('ends what a client of revision 2026-07-28 listens to with its token: the official client is told, and hears the server when it listens again (GWY-01, GWY-09)', async () => {
  const mcp = createMcpHandler(
    () => new CurrentServer({ name: 'notes', version: '1' }, { capabilities: { tools: { listChanged: true } } }),
  );
  const answer = toNodeHandler(mcp);
  const { origin } = await localServer((request, response) => void answer(request as Parameters<typeof answer>[0], response));
  const clock = simulatedClock();
  const handler = protectedProxy(clock, `${origin}/mcp`);
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  let heard = 0;
  client.setNotificationHandler('notifications/tools/list_changed', () => {
    heard += 1;
  });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(RESOURCE), {
      requestInit: { headers: { authorization: 'Bearer token' } },
      fetch: (input, init) => handler(new Request(input, init)),
    }),
  );
  const first = await client.listen({ toolsListChanged: true });
  await clock.advance(930_000);
  expect(await first.closed).toBe('remote');
  const second = await client.listen({ toolsListChanged: true });
  mcp.notify.toolsChanged();
  await expect.poll(() => heard).toBe(1);
  await second.close();
  await client.close();
});
