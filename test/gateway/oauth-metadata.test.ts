import { describe, expect, it } from 'vitest';
import { createGateway } from '../../src/gateway/oauth/create-gateway.ts';
import type { Json } from '../helpers/gateway-scene.ts';

const upstream = { issuer: 'https://login.example.com', clientId: 'gateway' };
const atRoot = createGateway({ resource: 'https://gateway.example.com/mcp', scopes: ['read'], upstream });
const below = createGateway({ resource: 'https://mcp.example.com/weather/mcp', issuer: 'https://gateway.example.com/tenant', upstream });

async function at(gateway: typeof atRoot, url: string, init: RequestInit = {}): Promise<{ response: Response; body: Json }> {
  const response = await gateway.fetch(new Request(url, init));
  const text = await response.text();
  return { response, body: text === '' ? {} : JSON.parse(text) };
}

describe('protected resource metadata', () => {
  it.each([
    [atRoot, 'https://gateway.example.com/.well-known/oauth-protected-resource'],
    [atRoot, 'https://gateway.example.com/.well-known/oauth-protected-resource/mcp'],
  ])('is at the root and with the path of the resource (GWY-02) %#', async (gateway, url) => {
    expect((await at(gateway, url)).body).toEqual({
      resource: 'https://gateway.example.com/mcp',
      authorization_servers: ['https://gateway.example.com'],
      scopes_supported: ['read'],
      bearer_methods_supported: ['header'],
      resource_name: 'gateway.example.com',
    });
  });

  it('names an issuer below a path (GWY-02)', async () => {
    const { body } = await at(below, 'https://mcp.example.com/.well-known/oauth-protected-resource/weather/mcp');
    expect(body).toMatchObject({
      resource: 'https://mcp.example.com/weather/mcp',
      authorization_servers: ['https://gateway.example.com/tenant'],
    });
  });
});

describe('authorization server metadata', () => {
  it.each([
    [atRoot, 'https://gateway.example.com/.well-known/oauth-authorization-server', 'https://gateway.example.com'],
    [atRoot, 'https://gateway.example.com/.well-known/openid-configuration', 'https://gateway.example.com'],
    [below, 'https://gateway.example.com/.well-known/oauth-authorization-server/tenant', 'https://gateway.example.com/tenant'],
    [below, 'https://gateway.example.com/.well-known/openid-configuration/tenant', 'https://gateway.example.com/tenant'],
    [below, 'https://gateway.example.com/tenant/.well-known/openid-configuration', 'https://gateway.example.com/tenant'],
    [below, 'https://gateway.example.com/.well-known/oauth-authorization-server', 'https://gateway.example.com/tenant'],
  ])('is at the root, with the path of the issuer, and under its OpenID Connect name (GWY-02) %#', async (gateway, url, issuer) => {
    expect((await at(gateway, url)).body).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/oauth/authorize`,
      token_endpoint: `${issuer}/oauth/token`,
      registration_endpoint: `${issuer}/oauth/register`,
      revocation_endpoint: `${issuer}/oauth/revoke`,
      jwks_uri: `${issuer}/oauth/jwks`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
    });
  });

  it('comes from the configuration alone, whatever the request says about hosts (GWY-02)', async () => {
    const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http', forwarded: 'host=evil.example' };
    const { body } = await at(atRoot, 'https://evil.example/.well-known/oauth-authorization-server', { headers });
    expect(JSON.stringify(body)).not.toContain('evil');
  });

  it('publishes keys without their private part, and none for sealed tokens (GWY-08)', async () => {
    const { body } = await at(atRoot, 'https://gateway.example.com/oauth/jwks');
    expect(body).toEqual({
      keys: [{ kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String), kid: 'process', alg: 'ES256', use: 'sig' }],
    });
    const opaque = createGateway({ resource: 'https://gateway.example.com/mcp', upstream, tokens: { format: 'opaque' } });
    expect((await at(opaque, 'https://gateway.example.com/.well-known/oauth-authorization-server')).body).not.toHaveProperty('jwks_uri');
  });
});

describe('every endpoint', () => {
  const open = [
    '.well-known/oauth-protected-resource',
    '.well-known/oauth-authorization-server',
    'oauth/jwks',
    'oauth/register',
    'oauth/token',
    'oauth/revoke',
  ];
  const own = ['oauth/authorize', 'oauth/consent', 'oauth/callback', 'oauth/health'];

  it.each(open)('/%s answers web pages of other origins, and is not cached (GWY-02)', async (path) => {
    const url = `https://gateway.example.com/${path}`;
    const preflight = await at(atRoot, url, {
      method: 'OPTIONS',
      headers: { origin: 'https://page.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.response.status).toBe(204);
    expect(preflight.response.headers.get('access-control-allow-origin')).toBe('*');
    // A cookie must never come along.
    expect(preflight.response.headers.has('access-control-allow-credentials')).toBe(false);
    const refused = await at(atRoot, url, { method: 'DELETE' });
    expect(refused.response.status).toBe(405);
    expect(refused.response.headers.get('allow')).toMatch(/^(GET, HEAD|POST), OPTIONS$/);
    expect(refused.response.headers.get('access-control-allow-origin')).toBe('*');
    expect(refused.response.headers.get('cache-control')).toBe('no-store');
  });

  it.each(own)('/%s answers nobody across origins (GWY-03)', async (path) => {
    const url = `https://gateway.example.com/${path}`;
    for (const method of ['OPTIONS', 'DELETE', 'PUT']) {
      const { response } = await at(atRoot, url, { method, headers: { origin: 'https://page.example' } });
      expect(response.status).toBe(405);
      const allowed: Readonly<Record<string, string>> = { 'oauth/consent': 'POST', 'oauth/health': 'GET, HEAD' };
      expect(response.headers.get('allow')).toBe(allowed[path] ?? 'GET');
      expect(response.headers.has('access-control-allow-origin')).toBe(false);
      expect(response.headers.get('cache-control')).toBe('no-store');
    }
  });

  it('answers HEAD as GET without a body, and what it does not own with 404 (GWY-01)', async () => {
    for (const path of ['.well-known/oauth-authorization-server', 'oauth/health']) {
      const head = await at(atRoot, `https://gateway.example.com/${path}`, { method: 'HEAD' });
      expect([head.response.status, head.body]).toEqual([200, {}]);
    }
    // It begins a sign-in, or ends one.
    for (const path of ['oauth/authorize', 'oauth/callback'])
      expect((await at(atRoot, `https://gateway.example.com/${path}`, { method: 'HEAD' })).response.status).toBe(405);
    const unknown = new Request('https://gateway.example.com/mcp');
    expect(atRoot.owns(unknown)).toBe(false);
    expect((await atRoot.fetch(unknown)).status).toBe(404);
    expect(atRoot.owns(new Request('https://gateway.example.com/oauth/token'))).toBe(true);
    expect((await at(atRoot, 'https://gateway.example.com/oauth/health')).body).toEqual({ status: 'ok' });
  });
});
