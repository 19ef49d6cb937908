/**
 * `npm run demo`: the whole flow on real servers, every step as it happens.
 *
 * Starts oidc-provider (a certified authorization server) and an MCP server made
 * with the official server SDK behind it, logs in, calls a tool, steps up for
 * another, lets the access token expire and refreshes it.
 *
 *     npm run demo                  you approve in your browser
 *     npm run demo -- --headless    approves by itself, needs no browser
 *     npm run demo -- --serve       only starts the servers, and a broken one beside them
 */
import { parseArgs } from 'node:util';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import pc from 'picocolors';
import { type AuthorizationClient, createAuthorizationClient } from '../../src/client.ts';
import { loopback } from '../../src/user-agents/loopback.ts';
import { approveWithoutBrowser } from '../fixtures/browserless-user.ts';
import { MCP_SCOPES, startMcpResource } from '../fixtures/mcp-resource.ts';
import { startOidcProvider } from '../fixtures/oidc-provider.ts';
import { serveUntilInterrupted } from './serve.ts';
import { tellStory } from './story.ts';
import { createTerminal, type Terminal } from './terminal.ts';

/** Short, so that nobody waits long for the third act. */
const ACCESS_TOKEN_SECONDS = 5;
/** A token is renewed this long before it expires; the default of 30 s would be longer than it lives. */
const EXPIRY_SKEW_MS = 1_000;

const USAGE = `npm run demo                  you approve in your browser
npm run demo -- --headless    approves by itself, needs no browser
npm run demo -- --serve       only starts the servers, and a broken one beside them
`;

const values = readOptions();
if (values.help) {
  process.stdout.write(USAGE);
  process.exit();
}
if (values.serve) {
  await serveUntilInterrupted();
  process.exit();
}

await using provider = await startOidcProvider({
  scopes: Object.values(MCP_SCOPES),
  accessTokenSeconds: () => ACCESS_TOKEN_SECONDS,
});
await using resource = await startMcpResource({ issuer: provider.issuer });
const terminal = createTerminal(process.stdout, (url) => {
  if (url.origin === provider.issuer) return pc.magenta('authorization server');
  return url.origin === new URL(resource.url).origin ? pc.blue('MCP server          ') : pc.dim('loopback listener   ');
});
const story = tellStory(terminal);
const authorization = createAuthorizationClient({
  resource: resource.url,
  clientMetadata: { client_name: 'authchart demo', redirect_uris: ['http://127.0.0.1/callback'] },
  userAgent: loopback({
    applicationName: 'authchart demo',
    ...(values.headless ? { openUrl: async (url: string) => approveInBackground(terminal, url) } : {}),
    onOpenFailed: () => terminal.note('No browser could be opened: open the address above by hand.'),
  }),
  limits: { expirySkewMs: EXPIRY_SKEW_MS },
  fetch: story.fetch,
});
authorization.subscribe(story.follow);
if (!values.headless) askPerson(terminal, authorization);

process.stdout.write(`${pc.bold('authchart demo')}\n`);
process.stdout.write(
  pc.dim(`   authorization server  oidc-provider at ${provider.issuer}\n   MCP server            official SDK at ${resource.url}\n`),
);

const mcp = new Client({ name: 'authchart-demo', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
try {
  await tellAll(terminal, authorization);
} catch (error) {
  process.stderr.write(`\n${pc.red('✗')} ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await mcp.close();
  await authorization.close();
}

function readOptions() {
  try {
    const option = { type: 'boolean', default: false } as const;
    return parseArgs({ options: { headless: option, serve: option, help: { ...option, short: 'h' } } }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

async function tellAll(out: Terminal, client: AuthorizationClient): Promise<void> {
  out.act('A first call, without any token', 'The MCP server answers 401. The rest follows from its challenge.');
  await mcp.connect(new StreamableHTTPClientTransport(new URL(resource.url), { fetch: client.fetch }));
  const weather = await callTool('read_weather', { city: 'Lisbon' });
  out.answer('read_weather', weather);
  summarize(out, client);

  out.act('A tool that needs another scope', 'The MCP server answers 403 insufficient_scope: the user is asked for more.');
  const alarm = await callTool('set_alarm', { at: '07:30' });
  out.answer('set_alarm', alarm);
  summarize(out, client);

  out.act('An access token that expires', 'The client renews it with the refresh token before it is used again; nobody is asked.');
  await out.countdown('waiting for the access token to expire', untilExpiry(client));
  const later = await callTool('read_weather', { city: 'Lisbon' });
  out.answer('read_weather', later);
  summarize(out, client);

  const { authorization_code: logins = 0, refresh_token: refreshes = 0 } = provider.issued;
  process.stdout.write(
    `\n${pc.green('✓')} ${pc.bold('Done.')} The user was asked ${logins} times, the token refreshed ${refreshes} time${refreshes === 1 ? '' : 's'}.\n`,
  );
  process.stdout.write(`  The tool's answer: ${later}\n`);
}

async function callTool(name: string, input: Record<string, string>): Promise<string> {
  const { content } = await mcp.callTool({ name, arguments: input });
  const [first] = content;
  if (first?.type !== 'text') throw new Error(`${name} did not answer with text`);
  return first.text;
}

function summarize(out: Terminal, client: AuthorizationClient): void {
  const { grantedScopes = [] } = client.status;
  out.note(pc.dim(`${story.countRequests()} requests of the client; granted: ${grantedScopes.join(' ')}`));
}

function untilExpiry(client: AuthorizationClient): number {
  const expiresAtMs = (client.status.expiresAtEpochSeconds ?? 0) * 1000;
  return Math.max(0, expiresAtMs - EXPIRY_SKEW_MS - Date.now()) + 100;
}

/** Plays the user; the flow must not wait for it, as it would not wait for a person. */
function approveInBackground(out: Terminal, authorizationUrl: string): void {
  const approve = async (): Promise<void> => {
    let at = performance.now();
    const onStep = (step: { method: string; url: URL; status: number }): void => {
      out.request({ by: 'browser', ...step, durationMs: performance.now() - at });
      at = performance.now();
    };
    const callbackUrl = await approveWithoutBrowser(authorizationUrl, { onStep });
    const page = await fetch(callbackUrl);
    onStep({ method: 'GET', url: new URL(callbackUrl), status: page.status });
  };
  approve().catch((error: unknown) => {
    out.note(`The approval failed: ${error instanceof Error ? error.message : String(error)}`);
    authorization.cancel();
  });
}

function askPerson(out: Terminal, client: AuthorizationClient): void {
  let shown: string | undefined;
  client.subscribe((status) => {
    if (status.step !== 'awaiting-user' || status.authorizationUrl === shown) return;
    shown = status.authorizationUrl;
    out.note(`Allow it in your browser: ${pc.underline(status.authorizationUrl)}`);
  });
}
