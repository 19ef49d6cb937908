/** What stands round a gateway, without the gateway: its identity provider, the MCP server behind, and how to start it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pc from 'picocolors';
import { registeredUpstream } from '../fixtures/gateway-server.ts';
import { startOidcProvider } from '../fixtures/oidc-provider.ts';
import { startUnprotectedMcp } from '../fixtures/unprotected-mcp.ts';
import { interrupted } from './interrupted.ts';

/** As docs/gateway.md has it for one machine. */
const ORIGIN = 'http://localhost:8080';
const RESOURCE = `${ORIGIN}/mcp`;

/** Serves until the process is interrupted. */
export async function serveBehindGateway(): Promise<void> {
  const end = interrupted();
  await using provider = await startOidcProvider({ scopes: [] });
  await using backend = await startUnprotectedMcp();
  const { clientId, clientSecret } = await registeredUpstream(provider, `${ORIGIN}/oauth/callback`);
  await using secret = await secretFile(clientSecret);
  const argv = [
    ...['--resource', RESOURCE, '--backend', backend.url, '--issuer', provider.issuer],
    ...['--client-id', clientId, '--client-secret-file', secret.path],
  ];
  process.stdout.write(`${pc.bold('An MCP server without a login and an identity provider are up')}, until you press Ctrl-C.

   MCP server            official SDK at ${backend.url}
   identity provider     oidc-provider at ${provider.issuer}

Put a gateway between them, in another terminal (with --check, it only looks whether all is right):

npx authchart gateway \\
${optionLines(argv)}
Then sign in to it, in a third:

npx authchart login ${RESOURCE}
`);
  await end;
}

/** As one would type it: an option and its value on each line. */
export function optionLines(argv: readonly string[]): string {
  const pairs = argv.flatMap((word, n) => (n % 2 === 0 ? [`       ${word} ${argv[n + 1]}`] : []));
  return `${pairs.join(' \\\n')}\n`;
}

async function secretFile(secret: string): Promise<AsyncDisposable & { readonly path: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'authchart-demo-'));
  const path = join(directory, 'client-secret');
  await writeFile(path, secret, { mode: 0o600, flag: 'wx' });
  return { path, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}
