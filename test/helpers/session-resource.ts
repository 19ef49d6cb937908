/**
 * A stateful MCP server on a real socket, with sessions and a stream of its own
 * (POST, GET, DELETE), behind a scripted authorization server: what the official
 * client transports are run against. The tool `write` needs the scope `write`.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, isInitializeRequest, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { type AuthorizationClient, createAuthorizationClient } from '../../src/client.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { type ScriptedServers, scriptedServers } from '../fixtures/scripted/scripted-servers.ts';
import { json, localServer } from './local-server.ts';
import { type ScriptedUser, scriptedUser } from './scripted-user.ts';

export interface SessionResource {
  readonly url: URL;
  readonly client: AuthorizationClient;
  readonly servers: ScriptedServers;
  readonly user: ScriptedUser;
  /** `POST 401`, `GET 200` … in the order in which they were answered. */
  readonly answers: readonly string[];
  /** Sends a notification over the stream that the client has opened with GET. */
  notify(): Promise<void>;
}

export async function sessionResource(): Promise<SessionResource> {
  const servers = scriptedServers({ resource: { checkAudience: false } });
  const answers: string[] = [];
  const sessions = new Map<string, { readonly server: Server; readonly transport: StreamableHTTPServerTransport }>();

  const local = await localServer((request, response, origin) => {
    if (request.url?.startsWith('/.well-known/') === true) {
      json(response, { resource: `${origin}/mcp`, authorization_servers: [servers.authorizationServer.issuer] });
      return;
    }
    const { writeHead } = response;
    Object.assign(response, {
      writeHead: (status: number, ...rest: []) => {
        answers.push(`${request.method} ${status}`);
        return writeHead.call(response, status, ...rest);
      },
    });
    void answer(request, response);
  });

  /** Why the request is refused, or nothing. */
  function challengeFor(request: IncomingMessage, message: unknown): { readonly status: number; readonly challenge: string } | undefined {
    const token = servers.authorizationServer.introspect(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
    if (token === undefined) return { status: 401, challenge: 'Bearer scope="read"' };
    const isWriting = JSON.stringify(message ?? '').includes('"name":"write"');
    if (!isWriting || token.scopes.includes('write')) return undefined;
    return { status: 403, challenge: 'Bearer error="insufficient_scope", scope="write"' };
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const message = request.method === 'POST' ? await bodyOf(request) : undefined;
    const refusal = challengeFor(request, message);
    if (refusal !== undefined) {
      json(response, {}, refusal.status, { 'www-authenticate': refusal.challenge });
      return;
    }
    const known = sessions.get(String(request.headers['mcp-session-id']));
    const session = known ?? (isInitializeRequest(message) ? await newSession() : undefined);
    if (session === undefined) json(response, {}, 404);
    else await session.transport.handleRequest(request, response, message);
  }

  async function newSession() {
    const server = new Server({ name: 'sessions', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } });
    server.setRequestHandler(ListToolsRequestSchema, () => ({
      tools: ['read', 'write'].map((name) => ({ name, inputSchema: { type: 'object' as const } })),
    }));
    server.setRequestHandler(CallToolRequestSchema, ({ params }) => ({ content: [{ type: 'text', text: `${params.name} done` }] }));
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, session),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    const session = { server, transport };
    await server.connect(transport as Parameters<typeof server.connect>[0]);
    return session;
  }

  const url = new URL(`${local.origin}/mcp`);
  const user = scriptedUser((authorizationUrl) => servers.approve(authorizationUrl));
  const client = createAuthorizationClient({
    resource: url,
    fetch: (input, init) =>
      String(input instanceof Request ? input.url : input).startsWith(local.origin) ? fetch(input, init) : servers.fetch(input, init),
    store: memoryStore(),
    userAgent: user,
    clientMetadata: { redirect_uris: ['http://127.0.0.1/callback'] },
  });
  return {
    url,
    client,
    servers,
    user,
    answers,
    notify: async () => {
      for (const { server } of sessions.values()) await server.sendToolListChanged();
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString());
}
