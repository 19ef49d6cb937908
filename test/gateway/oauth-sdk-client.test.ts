import { StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';
import { protect } from '../../src/gateway/protect.ts';
import { newClient } from '../bench/sdk-client.ts';
import { weatherServer } from '../fixtures/mcp-resource.ts';
import { GATEWAY, gatewayScene, RESOURCE } from '../helpers/gateway-scene.ts';
import { MemoryProvider } from '../helpers/sdk-memory-provider.ts';

it('signs in the official client SDK, which discovers, registers, and calls a tool of a backend that sees the upstream token only (GWY-01, GWY-02, GWY-08, GWY-11)', async () => {
  const scope = 'weather:read alarm:write';
  const scene = await gatewayScene({ scopes: scope.split(' ') }, { scopes: scope.split(' ') });
  const mcp = createMcpHandler(weatherServer);
  const seenByBackend = new Set<string>();
  const backend = protect({
    resource: RESOURCE,
    validator: scene.gateway.validator,
    createClient: ({ token, caller }) => ({
      token: token.token,
      scopes: [...caller.scopes],
      clientId: caller.clientId ?? '',
      close: () => {},
    }),
    handler: (request, { client }) => {
      seenByBackend.add(client.token);
      return mcp.fetch(request, { authInfo: { token: client.token, clientId: client.clientId, scopes: client.scopes, expiresAt: 4e9 } });
    },
  });
  const fetchInProcess = (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    expect(new URL(request.url).origin).toBe(GATEWAY);
    return scene.gateway.owns(request) ? scene.gateway.fetch(request) : backend(request);
  };

  const provider = new MemoryProvider();
  const transport = (): StreamableHTTPClientTransport =>
    new StreamableHTTPClientTransport(new URL(RESOURCE), { authProvider: provider, fetch: fetchInProcess });
  const waiting = transport();
  await expect(newClient().connect(waiting)).rejects.toBeInstanceOf(UnauthorizedError);
  const browser = scene.browser();
  const landing = await browser.answer(await browser.open(String(provider.authorizationUrl)), 'allow');
  expect(landing.url.origin, landing.html).toBe(new URL(provider.redirectUrl).origin);
  await waiting.finishAuth(landing.url.searchParams);

  const client = newClient();
  await client.connect(transport());
  const result = await client.callTool({ name: 'read_weather', arguments: { city: 'Oslo' } });
  expect(result.content).toEqual([{ type: 'text', text: 'Sunny in Oslo, 24 °C.' }]);
  await client.close();

  const ownToken = provider.tokens()?.access_token ?? '';
  expect(seenByBackend.size).toBe(1);
  expect(seenByBackend).not.toContain(ownToken);
  const [upstreamToken = ''] = seenByBackend;
  expect(JSON.parse(atob(upstreamToken.split('.')[1] ?? ''))).toMatchObject({ iss: scene.provider.issuer, sub: 'demo' });
});
