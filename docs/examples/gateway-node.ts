/**
 * A login for an MCP server that has none and runs elsewhere, as a node:http server or inside an Express application.
 *
 *     export RESOURCE=https://mcp.example.com/mcp BACKEND=http://127.0.0.1:3000/mcp
 *     export OIDC_ISSUER_URL=https://login.example.com OIDC_CLIENT_ID=… OIDC_CLIENT_SECRET=…
 *     npm run build && PORT=8080 node docs/examples/gateway-node.ts
 *     npm run build && PORT=8080 node docs/examples/gateway-node.ts --express
 */
import { createServer, type RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createGateway, gatewayHandler, protect, reverseProxy } from 'authchart/gateway';
import express from 'express';

const { RESOURCE = 'https://mcp.example.com/mcp', BACKEND = 'http://127.0.0.1:3000/mcp', PORT = '8080' } = process.env;
const { OIDC_ISSUER_URL = 'https://login.example.com', OIDC_CLIENT_ID = '', OIDC_CLIENT_SECRET = '' } = process.env;

/** What ends TLS before the gateway is who connects to it: it tells in a header, in every request, whose request it is. */
const isBehindProxy = RESOURCE.startsWith('https:');

const gateway = createGateway({
  resource: RESOURCE,
  upstream: { issuer: OIDC_ISSUER_URL, clientId: OIDC_CLIENT_ID, clientSecret: OIDC_CLIENT_SECRET },
  ...(isBehindProxy && { clientAddressHeader: 'X-Real-IP' }),
});

const handler = gatewayHandler({
  gateway,
  handler: protect({
    resource: RESOURCE,
    validator: gateway.validator,
    ...reverseProxy({ resource: RESOURCE, backend: BACKEND }),
  }),
});

const listener = getRequestListener((request, { incoming }) =>
  handler(request, isBehindProxy ? {} : { clientAddress: incoming.socket.remoteAddress }),
);

/** At the root, and before anything that reads bodies: `/oauth/…` and `/.well-known/…` are the gateway's, too. */
function inExpress(): RequestListener {
  const application = express();
  application.get('/hello', (_request, response) => void response.send('hello\n'));
  application.use((request, response) => listener(request, response));
  return application;
}

const server = createServer(process.argv.includes('--express') ? inExpress() : listener);
server.listen(Number(PORT), '127.0.0.1', () => console.log(`${RESOURCE} is served at port ${PORT}`));
process.once('SIGTERM', () => server.close());
