/** Runs the examples as they stand: node:http, Express and Hono on real ports, with the official SDK behind them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAuthorizationClient } from '../../src/client.ts';
import { approveWithoutBrowser } from '../fixtures/browserless-user.ts';
import { startOidcProvider } from '../fixtures/oidc-provider.ts';
import { caughtConsole } from '../helpers/caught-console.ts';
import { freePort } from '../helpers/free-port.ts';
import { scriptedUser } from '../helpers/scripted-user.ts';

const FROM_SOURCE = new URL('../helpers/authchart-from-source.ts', import.meta.url).href;

/** @returns the resource */
async function started(example: string, env: Record<string, string>, ...more: string[]): Promise<string> {
  const port = await freePort();
  const resource = `http://127.0.0.1:${port}/mcp`;
  const path = fileURLToPath(new URL(`../../docs/examples/${example}`, import.meta.url));
  const running = spawn(process.execPath, ['--import', FROM_SOURCE, path, ...more], {
    env: { ...process.env, RESOURCE: resource, PORT: `${port}`, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void running.kill('SIGKILL'));
  const [line] = await once(createInterface(running.stdout), 'line');
  expect(line).toBe(`${resource} is served at port ${port}`);
  return resource;
}

describe('the examples of a gateway', () => {
  it.each([
    ['node:http', []],
    ['Express', ['--express']],
  ])('on %s serve discovery, registration with a body, preflights and the challenge (GWY-01, GWY-02, GWY-13)', async (name, more) => {
    const resource = await started(
      'gateway-node.ts',
      { OIDC_ISSUER_URL: 'https://login.example.com', OIDC_CLIENT_ID: 'gateway', OIDC_CLIENT_SECRET: 'of the test' },
      ...more,
    );
    const refused = await fetch(resource, { method: 'POST', body: '{}' });
    expect(refused.status).toBe(401);
    const [, metadataUrl = ''] = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '') ?? [];
    const {
      authorization_servers: [issuer],
    } = (await (await fetch(metadataUrl)).json()) as { authorization_servers: [string] };
    const { registration_endpoint: registration } = (await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json()) as {
      registration_endpoint: string;
    };
    const body = JSON.stringify({ redirect_uris: ['http://127.0.0.1/callback'], token_endpoint_auth_method: 'none' });
    const registered = await fetch(registration, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expect([registered.status, await registered.json()]).toMatchObject([201, { client_id: expect.any(String) }]);
    const preflight = await fetch(resource, { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    expect((await fetch(new URL('/hello', resource))).status).toBe(name === 'Express' ? 200 : 404);
  });

  it('on Hono serve an MCP server of the official SDK, which knows who calls, after a login with oidc-provider (GWY-01, GWY-02, GWY-10)', async () => {
    caughtConsole();
    const provider = await startOidcProvider({ scopes: ['read'] });
    onTestFinished(() => provider.close());
    const resource = await started('gateway-hono.ts', { OIDC_ISSUER_URL: provider.issuer });
    const client = createAuthorizationClient({ resource, userAgent: scriptedUser((url) => approveWithoutBrowser(url)) });
    onTestFinished(() => client.close());
    const response = await client.fetch(resource, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'who_am_i', arguments: {} } }),
    });
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('"text":"demo"')]);
    expect(await (await fetch(new URL('/hello', resource))).text()).toBe('hello\n');
  });
});
