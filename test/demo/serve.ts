/** The demo's servers without the demo, to try the command line against, and one that breaks a rule. */
import pc from 'picocolors';
import { MCP_SCOPES, startMcpResource } from '../fixtures/mcp-resource.ts';
import { startOidcProvider } from '../fixtures/oidc-provider.ts';
import { registeredClient } from '../fixtures/registered-client.ts';
import { listeningServers } from '../fixtures/scripted/scripted-servers.ts';
import { interrupted } from './interrupted.ts';

const REDIRECT_URI = 'http://127.0.0.1/callback';

/** Serves until the process is interrupted. */
export async function serveUntilInterrupted(): Promise<void> {
  const end = interrupted();
  await using provider = await startOidcProvider({ scopes: Object.values(MCP_SCOPES) });
  await using resource = await startMcpResource({ issuer: provider.issuer });
  await using broken = await listeningServers({
    authorizationServer: {
      metadata: (document) => ({ ...document, issuer: 'https://somewhere-else.example', code_challenge_methods_supported: ['plain'] }),
    },
  });
  const { clientId } = await registeredClient(provider, REDIRECT_URI, 'none');
  const hint = (what: string, url: string): string => `   ${what.padEnd(28)} npx authchart discover ${url}\n`;
  process.stdout.write(`${pc.bold('Two MCP servers are up')}, until you press Ctrl-C.\n\n`);
  process.stdout.write(hint('one that does all right', resource.url));
  process.stdout.write(hint('one that breaks two rules', broken.resource.url));
  process.stdout.write(`
The authorization server of the first is ${provider.issuer}. Clients can register there by themselves.
It also knows a public client with the redirect URI ${REDIRECT_URI}, at any port:

   preregistered: [{ issuer: '${provider.issuer}', client_id: '${clientId}' }],
`);
  await end;
}
