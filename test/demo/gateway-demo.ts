/**
 * `npm run demo:gateway`: an MCP server without any login, and the gateway that gives it one.
 *
 * The server is made with the official SDK, the identity provider is oidc-provider, the
 * gateway is `authchart gateway` as a process of its own. The official client SDK finds
 * the login, registers, lets a person consent and sign in, and calls a tool that says
 * who called.
 *
 *     npm run demo:gateway                  you allow it in your browser
 *     npm run demo:gateway -- --headless    allows it by itself, needs no browser
 *     npm run demo:gateway -- --serve       only starts the servers; the gateway is yours to start
 */
import { parseArgs } from 'node:util';
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import pc from 'picocolors';
import { openInBrowser } from '../../src/user-agents/open-url.ts';
import { approveWithoutBrowser } from '../fixtures/browserless-user.ts';
import { registeredUpstream } from '../fixtures/gateway-server.ts';
import { startOidcProvider } from '../fixtures/oidc-provider.ts';
import { startUnprotectedMcp } from '../fixtures/unprotected-mcp.ts';
import { freePort } from '../helpers/free-port.ts';
import { MemoryProvider } from '../helpers/sdk-memory-provider.ts';
import { type CallbackPage, startCallbackPage } from './callback-page.ts';
import { startGatewayProcess } from './gateway-process.ts';
import { optionLines, serveBehindGateway } from './gateway-serve.ts';
import { createTerminal, type Terminal } from './terminal.ts';

const SCOPE = 'notes:read';
const USAGE = `npm run demo:gateway                  you allow it in your browser
npm run demo:gateway -- --headless    allows it by itself, needs no browser
npm run demo:gateway -- --serve       only starts the servers; the gateway is yours to start
`;

const { headless, serve } = readOptions();
try {
  await (serve ? serveBehindGateway() : tellAll());
} catch (thrown) {
  process.stderr.write(`\n${pc.red('✗')} ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
}

async function tellAll(): Promise<void> {
  await using provider = await startOidcProvider({ scopes: [SCOPE] });
  await using backend = await startUnprotectedMcp();
  await using page = await startCallbackPage();
  const origin = `http://127.0.0.1:${await freePort()}`;
  const resource = `${origin}/mcp`;
  const out = createTerminal(process.stdout, (url) => {
    if (url.origin === origin) return pc.green('gateway          ');
    if (url.origin === provider.issuer) return pc.magenta('identity provider');
    return url.origin === new URL(backend.url).origin ? pc.blue('MCP server       ') : pc.dim('application      ');
  });
  process.stdout.write(`${pc.bold('authchart gateway demo')}\n`);
  process.stdout.write(pc.dim(`   MCP server            official SDK at ${backend.url}\n`));
  process.stdout.write(pc.dim(`   identity provider     oidc-provider at ${provider.issuer}\n`));

  out.act('An MCP server that lets everybody in', 'It has no login: whoever can reach it can call it.');
  await using direct = await connected(out, backend.url);
  out.answer('who_calls', await whoCalls(direct.client));

  out.act('The gateway in front of it', 'A process of its own. Nothing in the MCP server changes.');
  const { clientId, clientSecret } = await registeredUpstream(provider, `${origin}/oauth/callback`);
  const argv = [
    ...['--resource', resource, '--backend', backend.url, '--issuer', provider.issuer, '--client-id', clientId],
    ...['--scope', SCOPE, '--require-scope', SCOPE, '--upstream-resource', backend.url, '--name', 'Notes'],
  ];
  showCommand(argv);
  await using gateway = await startGatewayProcess(argv, { OIDC_CLIENT_SECRET: clientSecret });
  showAnnouncement(gateway.announcement);

  out.act('The same call through the gateway', 'The official client is told where the login is, registers, and asks for it.');
  const application = await signedIn(out, resource, page, gateway.ended);
  await using through = await connected(out, resource, application);
  const caller = await whoCalls(through.client);
  out.answer('who_calls', caller);

  out.act('The end of the login', 'The application gives its token back. The gateway ends the grant, at the identity provider, too.');
  const token = application.tokens()?.access_token ?? '';
  const form = new URLSearchParams({ client_id: application.clientInformation()?.client_id ?? '', token });
  const fetch = tracing(out);
  await fetch(`${origin}/oauth/revoke`, { method: 'POST', body: form });
  const after = await fetch(resource, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  if (after.status !== 401) throw new Error(`The token was revoked, and the gateway answered ${after.status}.`);
  out.note(`The token is of no use any more: ${pc.dim(after.headers.get('www-authenticate')?.split(', ')[0] ?? '')}`);

  if (caller !== `demo (${SCOPE})`) throw new Error(`The MCP server was told that ${caller} called.`);
  process.stdout.write(`\n${pc.green('✓')} ${pc.bold('Done.')} The MCP server was told who called, and never saw a token.\n`);
  process.stdout.write(`  Its caller: ${caller}\n`);
}

/** Until the client holds tokens: the person may take their time, the gateway may not end meanwhile. */
async function signedIn(out: Terminal, resource: string, page: CallbackPage, gatewayEnded: Promise<never>): Promise<MemoryProvider> {
  let askedAt = 0;
  let asking: Promise<void> | undefined;
  const application = new MemoryProvider({
    redirectUrl: page.url,
    clientMetadata: { client_name: 'Demo application', token_endpoint_auth_method: 'none' },
    showPage(url) {
      askedAt = performance.now();
      asking = headless ? approve(out, url.href) : askPerson(out, url.href);
      asking.catch(() => {});
    },
  });
  const transport = new StreamableHTTPClientTransport(new URL(resource), { authProvider: application, fetch: tracing(out) });
  try {
    await newClient().connect(transport);
    throw new Error('The gateway let a client in that had no token.');
  } catch (thrown) {
    if (!(thrown instanceof UnauthorizedError)) throw thrown;
  }
  const [parameters] = await Promise.race([Promise.all([page.visited, asking]), gatewayEnded]);
  const refusal = parameters.get('error');
  if (refusal !== null) throw new Error(`The login was refused: ${refusal}.`);
  out.step({ title: 'the person consented and signed in', durationMs: performance.now() - askedAt, progress: '' });
  await transport.finishAuth(parameters);
  return application;
}

/** Plays the person: the gateway's page, the identity provider's, and back to the application. */
async function approve(out: Terminal, authorizationUrl: string): Promise<void> {
  let at = performance.now();
  const onStep = (step: { method: string; url: URL; status: number }): void => {
    out.request({ by: 'browser', ...step, durationMs: performance.now() - at });
    at = performance.now();
  };
  const callbackUrl = await approveWithoutBrowser(authorizationUrl, { onStep });
  const response = await fetch(callbackUrl);
  onStep({ method: 'GET', url: new URL(callbackUrl), status: response.status });
}

async function askPerson(out: Terminal, authorizationUrl: string): Promise<void> {
  out.note(`Allow it in your browser: ${pc.underline(authorizationUrl)}`);
  await openInBrowser(authorizationUrl).catch(() => out.note('No browser could be opened: open the address above by hand.'));
}

function newClient(): Client {
  return new Client({ name: 'authchart-gateway-demo', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
}

async function connected(
  out: Terminal,
  url: string,
  authProvider?: MemoryProvider,
): Promise<AsyncDisposable & { readonly client: Client }> {
  const client = newClient();
  const options = { fetch: tracing(out), ...(authProvider && { authProvider }) };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), options));
  return { client, [Symbol.asyncDispose]: () => client.close() };
}

async function whoCalls(client: Client): Promise<string> {
  const [first] = (await client.callTool({ name: 'who_calls', arguments: {} })).content;
  if (first?.type !== 'text') throw new Error('who_calls did not answer with text.');
  return first.text;
}

/** Shows each request of the client when its answer is there. */
function tracing(out: Terminal): (input: string | URL | Request, init?: RequestInit) => Promise<Response> {
  return async (input, init) => {
    const startedAt = performance.now();
    const response = await fetch(input, init);
    const url = new URL(input instanceof Request ? input.url : input);
    out.request({ by: 'client', method: init?.method ?? 'GET', url, status: response.status, durationMs: performance.now() - startedAt });
    return response;
  };
}

/** As one would type it: an option and its value on each line. */
function showCommand(argv: readonly string[]): void {
  process.stdout.write(`   ${pc.dim('$')} OIDC_CLIENT_SECRET=… ${pc.bold('authchart gateway')} \\\n`);
  process.stdout.write(optionLines(argv));
}

function showAnnouncement(text: string): void {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.includes('Ctrl-C'));
  process.stdout.write(lines.map((line) => `   ${pc.dim('│')} ${line}\n`).join(''));
}

function readOptions(): { readonly headless: boolean; readonly serve: boolean } {
  try {
    const option = { type: 'boolean', default: false } as const;
    const { values } = parseArgs({ options: { headless: option, serve: option, help: { ...option, short: 'h' } } });
    if (!values.help) return values;
    process.stdout.write(USAGE);
    process.exit();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}
