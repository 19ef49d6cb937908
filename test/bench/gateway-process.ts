/**
 * A gateway before a backend, as a node:http server in a process of its own so that nothing else is in its memory.
 * Tells its port, and its resident memory whenever it is asked. Run by `gateway-sections.ts`:
 *
 *     node --expose-gc test/bench/gateway-process.ts <directory of the built package> <URL of the backend> <token>
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import type { BuiltGateway } from './protected-requests.ts';

const [, , directory = '', backend = '', token = ''] = process.argv;
const gateway = (await import(pathToFileURL(join(directory, 'gateway.js')).href)) as BuiltGateway;

const resource = 'https://mcp.example.com/mcp';
const handler = gateway.gatewayHandler({
  gateway: gateway.resourceServer({ resource, authorizationServers: ['https://login.example.com'] }),
  handler: gateway.protect({
    resource,
    validator: gateway.staticTokenValidator([{ token, subject: 'bench' }]),
    ...gateway.reverseProxy({ resource, backend }),
  }),
});
const server = createServer(getRequestListener((request) => handler(request)));
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));

process.on('message', (when) => {
  if (when === 'settled') for (let times = 0; times < 4; times += 1) globalThis.gc?.();
  process.send?.({ rss: process.memoryUsage.rss() });
});
process.on('disconnect', () => process.exit());
