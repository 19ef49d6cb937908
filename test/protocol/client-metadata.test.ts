import { describe, expect, it } from 'vitest';
import { fullClientMetadata } from '../../src/protocol/client-metadata.ts';

const loopback = 'http://127.0.0.1:49152/callback';

describe('the client metadata to register', () => {
  it('describes a public client with refresh tokens and the selected scope (REG-03)', () => {
    expect(
      fullClientMetadata(
        { client_name: 'Example', redirect_uris: ['http://127.0.0.1/callback'], scope: 'old' },
        {
          redirectUris: [loopback],
          offlineAccess: true,
          scopes: ['mcp:read', 'offline_access'],
        },
      ),
    ).toEqual({
      client_name: 'Example',
      redirect_uris: [loopback],
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'mcp:read offline_access',
    });
  });

  it.each([
    ['loopback', [loopback], 'native'],
    ['loopback by name', ['http://localhost/callback'], 'native'],
    ['loopback of IPv6', ['http://[::1]:1/callback'], 'native'],
    ['https on loopback', ['https://localhost:8443/callback'], 'native'],
    ['a scheme of its own', ['com.example.app:/callback'], 'native'],
    ['https', ['https://app.example.com/callback'], 'web'],
    ['https beside loopback', ['https://app.example.com/callback', loopback], 'native'],
    ['no readable', ['callback'], 'web'],
    ['a host that only begins like loopback', ['https://localhost.example.com/callback'], 'web'],
  ] as const)('has the application type that fits %s redirect URIs (REG-03)', (_kind, redirectUris, expected) => {
    expect(fullClientMetadata({}, { redirectUris, offlineAccess: true }).application_type).toBe(expected);
  });

  it('asks for no refresh tokens and no scope where none are wanted (REG-03)', () => {
    const metadata = fullClientMetadata({}, { redirectUris: [loopback], offlineAccess: false });
    expect(metadata.grant_types).toEqual(['authorization_code']);
    expect(metadata).not.toHaveProperty('scope');
  });

  it('keeps what the embedder says explicitly, and all else it says about itself (REG-03)', () => {
    const said = {
      application_type: 'web',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'mcp',
      contacts: ['a@example.com'],
      software_id: 'id-1',
    } as const;
    expect(fullClientMetadata(said, { redirectUris: [loopback], offlineAccess: true })).toEqual({ ...said, redirect_uris: [loopback] });
  });
});
