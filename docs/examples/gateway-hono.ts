/**
 * A login for an MCP server of one's own, in a Hono application: in Node as here, and by the `app` alone in Cloudflare
 * Workers, Deno and Bun. The identity provider serves MCP clients itself, so that there is no OAuth proxy in between.
 *
 *     export RESOURCE=https://mcp.example.com/mcp OIDC_ISSUER_URL=https://login.example.com
 *     npm run build && PORT=8080 node docs/examples/gateway-hono.ts
 */
import { serve } from '@hono/node-server';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { currentCaller, gatewayHandler, OidcTokenValidator, protect, type RequestPlatform, resourceServer } from 'authchart/gateway';
import { type Context, Hono } from 'hono';

const { RESOURCE = 'https://mcp.example.com/mcp', OIDC_ISSUER_URL = 'https://login.example.com', PORT = '8080' } = process.env;

const mcp = createMcpHandler(() => {
  const server = new McpServer({ name: 'example', version: '1.0.0' });
  server.registerTool('who_am_i', { description: 'Says who is calling.' }, () => {
    return { content: [{ type: 'text', text: currentCaller()?.caller?.subject ?? 'nobody' }] };
  });
  return server;
});

const handler = gatewayHandler({
  gateway: resourceServer({ resource: RESOURCE, authorizationServers: [OIDC_ISSUER_URL], scopes: ['read'] }),
  handler: protect({
    resource: RESOURCE,
    validator: new OidcTokenValidator({ issuer: OIDC_ISSUER_URL }),
    scopes: ['read'],
    createClient: ({ token }) => ({ token: token.token }),
    handler: (request, { client, caller }) =>
      mcp.fetch(request, { authInfo: { token: client.token, clientId: caller?.clientId ?? '', scopes: [...(caller?.scopes ?? [])] } }),
  }),
});

const app = new Hono();
app.get('/hello', (c) => c.text('hello\n'));
app.all('*', (c) => handler(c.req.raw, executionContext(c)));

/** Workers have one, which waits for what is closed after the response; where there is none, Hono throws. */
function executionContext(c: Context): RequestPlatform | undefined {
  try {
    return c.executionCtx;
  } catch {
    return undefined;
  }
}

const server = serve({ fetch: app.fetch, port: Number(PORT), hostname: '127.0.0.1' }, () =>
  console.log(`${RESOURCE} is served at port ${PORT}`),
);
process.once('SIGTERM', () => server.close());
