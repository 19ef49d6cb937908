/**
 * An MCP client on the official SDK, with authchart doing the authorization.
 *
 *     npm run build && node docs/examples/mcp-sdk-client.ts https://mcp.example.com/mcp
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createAuthorizationClient } from 'authchart';
import { fileStore, loopback } from 'authchart/node';

const [, , resource = 'https://mcp.example.com/mcp'] = process.argv;

const authorization = createAuthorizationClient({ resource, store: fileStore(), userAgent: loopback() });
// The browser opens by itself. Where there is none, someone has to see the address.
let told = '';
authorization.subscribe((status) => {
  const line = status.step === 'awaiting-user' ? `Approve at ${status.authorizationUrl}` : status.step;
  if (line !== told) console.error(line);
  told = line;
});

const client = new Client({ name: 'example', version: '1.0.0' });

// The SDK's own OAuth stays out of it: there is no `authProvider`.
await client.connect(new StreamableHTTPClientTransport(new URL(resource), { fetch: authorization.fetch }));
const { tools } = await client.listTools();
console.log(tools.map(({ name }) => name).join('\n'));

await client.close();
await authorization.close();
