/** A gateway as a process of its own, the servers around it, and a person who signs in through the official client. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { expect, onTestFinished } from 'vitest';
import { newClient } from '../bench/sdk-client.ts';
import { registeredUpstream } from '../fixtures/gateway-server.ts';
import { weatherServer } from '../fixtures/mcp-resource.ts';
import { type OidcProvider, startOidcProvider } from '../fixtures/oidc-provider.ts';
import { freePort } from '../helpers/free-port.ts';
import { gatewayBrowser } from '../helpers/gateway-browser.ts';
import { localServer } from '../helpers/local-server.ts';
import { MemoryProvider } from '../helpers/sdk-memory-provider.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
export const STDIO_SERVER = fileURLToPath(new URL('../fixtures/stdio-mcp-server.ts', import.meta.url));

export interface Surroundings {
  readonly provider: OidcProvider;
  readonly origin: string;
  readonly resource: string;
  /** `--resource`, `--issuer`, `--client-id`. */
  readonly argv: readonly string[];
  /** The secret of the client. */
  readonly env: Readonly<Record<string, string>>;
}

/** An identity provider that knows the gateway at a free port as its client. */
export async function gatewaySurroundings(): Promise<Surroundings> {
  const provider = await startOidcProvider({ scopes: ['weather:read', 'alarm:write'] });
  onTestFinished(() => provider.close());
  const origin = `http://127.0.0.1:${await freePort()}`;
  const { clientId, clientSecret } = await registeredUpstream(provider, `${origin}/oauth/callback`);
  const resource = `${origin}/mcp`;
  return {
    provider,
    origin,
    resource,
    argv: [
      ...['gateway', '--resource', resource, '--issuer', provider.issuer, '--client-id', clientId],
      ...['--scope', 'weather:read alarm:write', '--upstream-resource', 'http://127.0.0.1:9/mcp'],
    ],
    env: { OIDC_CLIENT_SECRET: clientSecret },
  };
}

/** An MCP server without any login; keeps the headers it was sent. */
export async function openMcpServer(): Promise<{ readonly url: string; readonly seen: Headers[] }> {
  const seen: Headers[] = [];
  const mcp = createMcpHandler(weatherServer);
  const answer = toNodeHandler({
    fetch: (request: Request) => {
      seen.push(request.headers);
      return mcp.fetch(request, { authInfo: { token: 'x', clientId: 'x', scopes: ['weather:read', 'alarm:write'], expiresAt: 4e9 } });
    },
  });
  const { origin } = await localServer((request, response) => void answer(request as Parameters<typeof answer>[0], response));
  return { url: `${origin}/mcp`, seen };
}

export interface GatewayProcess {
  readonly child: ChildProcess;
  readonly said: { stdout: string; stderr: string };
  readonly ended: Promise<{ exitCode: number | null; signal: string | null; stdout: string; stderr: string }>;
}

/** Resolves when it listens, or has ended before. */
export async function startGateway(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  /** As a shell starts a job: in a process group of its own. */
  { detached = false }: { readonly detached?: boolean } = {},
): Promise<GatewayProcess> {
  const child = spawn(process.execPath, [MAIN, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  const said = { stdout: '', stderr: '' };
  const ended = once(child, 'close').then(([exitCode, signal]) => ({
    exitCode: exitCode as number | null,
    signal: signal as string | null,
    ...said,
  }));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const listening = new Promise<void>((resolve) => {
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
        if (/Listening at|"type":"listening"/.test(said[name])) resolve();
      });
    }
  });
  await Promise.race([listening, ended]);
  return { child, said, ended };
}

/** Discovery, registration, consent, sign-in: as a person with the official client does it. */
export async function signedInClient({ resource, origin, provider }: Surroundings): Promise<{
  readonly client: Client;
  readonly authProvider: MemoryProvider;
  readonly transport: StreamableHTTPClientTransport;
}> {
  const authProvider = new MemoryProvider();
  const newTransport = (): StreamableHTTPClientTransport => new StreamableHTTPClientTransport(new URL(resource), { authProvider });
  const waiting = newTransport();
  await expect(newClient().connect(waiting)).rejects.toBeInstanceOf(UnauthorizedError);
  const overHttp = { fetch: (request: Request) => fetch(request) } as unknown as Parameters<typeof gatewayBrowser>[0]['gateway'];
  const browser = gatewayBrowser({ gateway: overHttp, origin, providerOrigin: new URL(provider.issuer).origin });
  const landing = await browser.answer(await browser.open(String(authProvider.authorizationUrl)), 'allow');
  expect(landing.url.origin, landing.html).toBe(new URL(authProvider.redirectUrl).origin);
  await waiting.finishAuth(landing.url.searchParams);
  const transport = newTransport();
  const client = newClient();
  await client.connect(transport);
  return { client, authProvider, transport };
}

/** What a tool of the fixture said. */
export async function called(client: Client, name: string, args: Record<string, unknown> = {}): Promise<unknown> {
  const { content } = (await client.callTool({ name, arguments: args })) as { content: { text: string }[] };
  return JSON.parse(content[0]?.text ?? 'null');
}
