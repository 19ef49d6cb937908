import { describe, expect, it, onTestFinished } from 'vitest';
import { type AuthorizationClient, createAuthorizationClient } from '../../src/client.ts';
import { systemClock } from '../../src/clock.ts';
import type { GatewayOptions } from '../../src/gateway/oauth/gateway-options.ts';
import type { Caller } from '../../src/gateway/protect-options.ts';
import type { AuthorizationClientOptions } from '../../src/options.ts';
import { runCommand, temporaryDirectory } from '../cli/run-command.ts';
import { approveWithoutBrowser } from '../fixtures/browserless-user.ts';
import { type GatewayServer, startGatewayServer } from '../fixtures/gateway-server.ts';
import { weatherBehind } from '../fixtures/gateway-weather.ts';
import { MCP_SCOPES } from '../fixtures/mcp-resource.ts';
import { startOidcProvider } from '../fixtures/oidc-provider.ts';
import { caughtConsole } from '../helpers/caught-console.ts';
import { REDIRECT_URI, type ScriptedUser, scriptedUser } from '../helpers/scripted-user.ts';

interface Scene {
  readonly server: GatewayServer;
  readonly user: ScriptedUser;
  readonly client: AuthorizationClient;
  readonly callers: (Caller | undefined)[];
  /** What it sent to the token endpoint. */
  readonly tokenForms: URLSearchParams[];
  /** Calls a tool with the client's own fetch. */
  call(tool: string, input: object): Promise<readonly [number, string]>;
}

async function scene(changes: Partial<GatewayOptions> = {}, clientChanges: Partial<AuthorizationClientOptions> = {}): Promise<Scene> {
  caughtConsole();
  const scopes = Object.values(MCP_SCOPES);
  const provider = await startOidcProvider({ scopes });
  onTestFinished(() => provider.close());
  const callers: (Caller | undefined)[] = [];
  const tokenForms: URLSearchParams[] = [];
  const server = await startGatewayServer({ provider, scopes, changes, backend: weatherBehind((caller) => callers.push(caller)) });
  onTestFinished(() => server.close());
  const user = scriptedUser((authorizationUrl) => approveWithoutBrowser(authorizationUrl));
  const client = createAuthorizationClient({
    resource: server.url,
    userAgent: user,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      if (new URL(request.url).pathname === '/oauth/token') tokenForms.push(new URLSearchParams(await request.clone().text()));
      return fetch(request);
    },
    ...clientChanges,
  });
  onTestFinished(() => client.close());
  return {
    server,
    user,
    client,
    callers,
    tokenForms,
    async call(name, input) {
      const response = await client.fetch(server.url, toolCall(name, input));
      return [response.status, await response.text()];
    },
  };
}

const toolCall = (name: string, input: object): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: input } }),
});

describe('our own client before our own gateway, on real HTTP', () => {
  it('signs in by what the gateway says, asks for more scopes when a tool needs them, and loses none (GWY-01, GWY-02, GWY-13)', async () => {
    const { call, client, callers, user, tokenForms } = await scene();
    expect(await call('read_weather', { city: 'Oslo' })).toEqual([200, expect.stringContaining('Sunny in Oslo')]);
    expect(client.status).toMatchObject({ step: 'authorized', registration: 'dynamic', grantedScopes: [MCP_SCOPES.read] });
    expect(await call('set_alarm', { at: '07:30' })).toEqual([200, expect.stringContaining('Alarm set for 07:30')]);
    expect(client.status).toMatchObject({ step: 'authorized', grantedScopes: [MCP_SCOPES.read, MCP_SCOPES.write] });
    expect([user.shown.length, tokenForms.length]).toEqual([2, 2]);
    expect(callers.map((caller) => [caller?.subject, caller?.scopes])).toEqual([
      ['demo', [MCP_SCOPES.read]],
      ['demo', [MCP_SCOPES.read]],
      ['demo', [MCP_SCOPES.read, MCP_SCOPES.write]],
    ]);
  });

  it('refreshes by itself, with a new refresh token each time, and asks nobody (GWY-08)', async () => {
    let aheadMs = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
    const { call, user, tokenForms } = await scene({ clock }, { clock });
    for (let n = 0; n < 4; n += 1) {
      expect((await call('read_weather', { city: 'Oslo' }))[0]).toBe(200);
      // Longer than an access token lives.
      aheadMs += 901_000;
    }
    expect(tokenForms.map((form) => form.get('grant_type'))).toEqual([
      'authorization_code',
      'refresh_token',
      'refresh_token',
      'refresh_token',
    ]);
    expect(new Set(tokenForms.map((form) => form.get('refresh_token'))).size).toBe(4);
    expect(user.shown).toHaveLength(1);
  });

  it('signs in again by itself when its grant was revoked elsewhere, and after it signed out (GWY-08)', async () => {
    const { call, client, server, user, tokenForms } = await scene();
    expect((await call('read_weather', { city: 'Oslo' }))[0]).toBe(200);
    const token = (await client.accessToken())?.accessToken ?? '';
    const form = new URLSearchParams({ client_id: tokenForms[0]?.get('client_id') ?? '', token });
    expect((await fetch(`${server.issuer}/oauth/revoke`, { method: 'POST', body: form })).status).toBe(200);
    const old = await fetch(server.url, { headers: { authorization: `Bearer ${token}` } });
    expect([old.status, old.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('error="invalid_token"')]);
    expect((await call('read_weather', { city: 'Oslo' }))[0]).toBe(200);
    expect(user.shown).toHaveLength(2);
    expect((await client.signOut()).step).toBe('unauthorized');
    expect(await client.accessToken()).toBeUndefined();
    expect((await call('read_weather', { city: 'Oslo' }))[0]).toBe(200);
    expect(user.shown).toHaveLength(3);
  });

  it('is known by its metadata document, and never registers (GWY-05)', async () => {
    const document = 'https://client.example.com/oauth/client.json';
    const { call, client, callers } = await scene(
      {
        clientMetadataDocuments: { resolve: () => Promise.resolve(['93.184.215.14']) },
        fetch: (input, init) => {
          const request = new Request(input, init);
          if (request.url !== document) return fetch(request);
          return Promise.resolve(Response.json({ client_id: document, client_name: 'Agent', redirect_uris: [REDIRECT_URI] }));
        },
      },
      { clientMetadataUrl: document },
    );
    expect((await call('read_weather', { city: 'Oslo' }))[0]).toBe(200);
    expect(client.status).toMatchObject({ step: 'authorized', registration: 'metadata-document' });
    expect(callers.map((caller) => caller?.clientId)).toEqual([document]);
  });
});

it('the command line signs in through a gateway, fetches what is behind it, and signs out (GWY-01, GWY-08)', async () => {
  const { server, callers } = await scene();
  const store = await temporaryDirectory();
  const parts = {
    openUrl: async (url: string) => {
      const callback = await approveWithoutBrowser(url);
      void fetch(callback).then((page) => page.text());
    },
  };
  const command = (...argv: readonly string[]) => runCommand([...argv, '--store', store], { parts });
  expect(await command('login', server.url)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Signed in') });
  const { method, headers, body } = toolCall('read_weather', { city: 'Oslo' });
  const asArguments = Object.entries(headers as Record<string, string>).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const fetched = await command('fetch', server.url, '-X', String(method), ...asArguments, '-d', String(body));
  expect(fetched).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Sunny in Oslo') });
  expect(callers).toMatchObject([{ subject: 'demo', scopes: [MCP_SCOPES.read] }]);
  expect((await command('logout', server.url)).exitCode).toBe(0);
  const after = await command('token', server.url);
  expect(after.exitCode).not.toBe(0);
});
