import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAuthorizationClient } from '../../src/client.ts';
import { OidcTokenValidator } from '../../src/gateway/oidc-token-validator.ts';
import { protect } from '../../src/gateway/protect.ts';
import type { Caller, ProtectedHandler } from '../../src/gateway/protect-options.ts';
import { approveWithoutBrowser } from '../fixtures/browserless-user.ts';
import { loopbackServer } from '../fixtures/loopback-server.ts';
import { MCP_SCOPES, weatherServer } from '../fixtures/mcp-resource.ts';
import { startOidcProvider } from '../fixtures/oidc-provider.ts';
import { caughtConsole } from '../helpers/caught-console.ts';
import { scriptedUser } from '../helpers/scripted-user.ts';
import { RESOURCE, tokenIssuer } from './token-issuer.ts';

/** Serves what `make` returns for the server's own URL. */
async function served(make: (url: string) => ProtectedHandler): Promise<string> {
  const { origin, http, close } = await loopbackServer();
  onTestFinished(close);
  const url = `${origin}/mcp`;
  const answer = toNodeHandler({ fetch: make(url) });
  http.on('request', (request, response) => void answer(request as Parameters<typeof answer>[0], response));
  return url;
}

describe('behind real servers', () => {
  it('an MCP server of the official SDK is protected: a login with oidc-provider, a call, and who made it (GWY-10, GWY-11, GWY-13)', async () => {
    caughtConsole();
    const provider = await startOidcProvider({ scopes: Object.values(MCP_SCOPES) });
    onTestFinished(() => provider.close());
    const callers: (Caller | undefined)[] = [];
    const closed: string[] = [];
    const url = await served((resource) => {
      const mcp = createMcpHandler(weatherServer);
      const gate = protect({
        resource,
        validator: new OidcTokenValidator({ issuer: provider.issuer, types: ['at+jwt'] }),
        scopes: [MCP_SCOPES.read],
        createClient: ({ token }) => ({ token: token.token, close: () => closed.push(token.token) }),
        handler: (request, { caller }) => {
          callers.push(caller);
          return mcp.fetch(request, {
            authInfo: { token: '', clientId: caller?.clientId ?? '', scopes: [...(caller?.scopes ?? [])] },
          });
        },
      });
      const metadata = { resource, authorization_servers: [provider.issuer], scopes_supported: [MCP_SCOPES.read] };
      return async (request, platform) =>
        new URL(request.url).pathname.startsWith('/.well-known/') ? Response.json(metadata) : gate(request, platform);
    });
    const user = scriptedUser((authorizationUrl) => approveWithoutBrowser(authorizationUrl));
    const client = createAuthorizationClient({ resource: url, userAgent: user });
    onTestFinished(() => client.close());
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read_weather', arguments: { city: 'Oslo' } } };
    const response = await client.fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify(call),
    });
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('Sunny in Oslo')]);
    expect(callers).toMatchObject([{ subject: 'demo', scopes: [MCP_SCOPES.read] }]);
    await expect.poll(() => closed.length).toBe(1);
    expect(user.shown).toHaveLength(1);
  });

  it('callers who cut the connection in the middle of a stream have their clients closed, and nobody else (GWY-11)', async () => {
    const idp = await tokenIssuer();
    const open = new Set<string>();
    const closed: string[] = [];
    const url = await served(() =>
      protect({
        resource: RESOURCE,
        validator: new OidcTokenValidator({ issuer: idp.issuer }),
        createClient: ({ caller }) => ({ name: caller.subject ?? '', close: () => closed.push(caller.subject ?? '') }),
        handler: (_request, { client }) => {
          open.add(client.name);
          // A stream that never ends by itself.
          return new Response(
            new ReadableStream({
              start: (controller) => controller.enqueue(new TextEncoder().encode(`hello ${client.name}\n`)),
              cancel: () => void open.delete(client.name),
            }),
            { headers: { 'content-type': 'text/event-stream' } },
          );
        },
      }),
    );
    const names = Array.from({ length: 20 }, (_, n) => `caller-${n}`);
    const connections = await Promise.all(
      names.map(async (name) => {
        const caller = new AbortController();
        const response = await fetch(url, {
          headers: { authorization: `Bearer ${await idp.token({ sub: name })}` },
          signal: caller.signal,
        });
        const reader = response.body?.getReader();
        expect(new TextDecoder().decode((await reader?.read())?.value)).toBe(`hello ${name}\n`);
        return { name, caller };
      }),
    );
    expect([open.size, closed]).toEqual([20, []]);
    const leaving = connections.filter((_, n) => n % 2 === 0);
    for (const { caller } of leaving) caller.abort();
    await expect.poll(() => closed.length).toBe(10);
    expect(closed.toSorted()).toEqual(leaving.map(({ name }) => name).toSorted());
    expect(open.size).toBe(10);
    for (const { caller } of connections) caller.abort();
    await expect.poll(() => closed.length).toBe(20);
    expect(new Set(closed).size).toBe(20);
  });
});
