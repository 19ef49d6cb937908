import { describe, expect, it } from 'vitest';
import { redirectTo } from '../fixtures/scripted/bad-answers.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';

const PATH_ONLY = { client: { attachTo: 'path' } } as const;

async function signedIn(): Promise<ReturnType<typeof scene>> {
  const made = scene(PATH_ONLY);
  await made.client.authorize();
  return made;
}

describe('a redirect, where the token belongs to the path of the resource only', () => {
  it.each([302, 307] as const)('%s to a neighbour on the same origin is refused before anything is sent there (FET-02)', async (status) => {
    const { client, servers } = await signedIn();
    servers.respond('resource', redirectTo('https://mcp.example.com/other-tenant', status));
    await expect(client.fetch(servers.resource.url, CALL)).rejects.toMatchObject({ code: 'url_outside_resource' });
    expect(servers.requests.some(({ url }) => url.pathname === '/other-tenant')).toBe(false);
  });

  it('inside the path is followed with the same method, body and token (FET-02)', async () => {
    const { client, servers } = await signedIn();
    servers.respond('resource', redirectTo('https://mcp.example.com/mcp/', 307));
    const response = await client.fetch(servers.resource.url, CALL);
    expect(await response.json()).toMatchObject({ method: 'POST', path: '/mcp/', body: CALL.body });
    expect(servers.violations).toEqual([]);
  });

  it('after a POST with 303 becomes a GET without the body (FET-02)', async () => {
    const { client, servers } = await signedIn();
    servers.respond('resource', redirectTo('https://mcp.example.com/mcp/result', 303));
    const response = await client.fetch(servers.resource.url, CALL);
    expect(await response.json()).toMatchObject({ method: 'GET', path: '/mcp/result', body: '' });
  });

  it('that never ends is handed back after five hops (FET-02)', async () => {
    const { client, servers } = await signedIn();
    const loop = servers.respond('resource', redirectTo('https://mcp.example.com/mcp', 307), { times: Number.POSITIVE_INFINITY });
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(307);
    expect(loop.used).toBe(6);
  });

  it('that the caller wants to see is handed back as it came (FET-02)', async () => {
    const { client, servers } = await signedIn();
    servers.respond('resource', redirectTo('https://mcp.example.com/other-tenant', 302));
    expect((await client.fetch(servers.resource.url, { ...CALL, redirect: 'manual' })).status).toBe(302);
  });
});
