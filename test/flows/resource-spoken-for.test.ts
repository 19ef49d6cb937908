import { describe, expect, it } from 'vitest';
import { CALL, scene } from '../helpers/scripted-client.ts';

const requestedResource = (shown: readonly string[]): string | null => new URL(shown[0] ?? '').searchParams.get('resource');

describe('protected resource metadata that speaks for a parent of the resource', () => {
  it('is believed at the well-known place of that parent: its identifier is sent (PRM-03, AUT-02)', async () => {
    const { client, servers, user } = scene({
      resource: {
        metadataAt: ['root'],
        metadata: (document) => ({ ...document, resource: 'https://mcp.example.com' }),
        checkAudience: false,
      },
      authorizationServer: { expectResource: false },
    });
    await client.fetch(servers.resource.url, CALL);
    expect(requestedResource(user.shown)).toBe('https://mcp.example.com');
  });

  it('from a place of its own gives a tenant no tokens for the whole host (PRM-03, AUT-02)', async () => {
    const { client, servers, user } = scene({
      resource: { checkAudience: false, challenge: () => 'Bearer resource_metadata="https://mcp.example.com/mcp/own-metadata"' },
      authorizationServer: { expectResource: false },
    });
    servers.respond('/mcp/own-metadata', () =>
      Response.json({ resource: 'https://mcp.example.com', authorization_servers: [servers.authorizationServer.issuer] }),
    );
    await client.fetch(servers.resource.url, CALL);
    expect(requestedResource(user.shown)).toBe(servers.resource.url);
  });
});
