import { describe, expect, it } from 'vitest';
import { FailureError } from '../../src/failure.ts';
import { type AuthorizationRequest, authorizationUrl, RESERVED_PARAMETERS } from '../../src/protocol/authorization-request.ts';

const metadata = { issuer: 'https://as.example.com', authorization_endpoint: 'https://as.example.com/authorize' };
const request: AuthorizationRequest = {
  metadata,
  clientId: 'client 1',
  redirectUri: 'http://127.0.0.1:49152/callback',
  state: 'state-1',
  codeChallenge: 'challenge-1',
  scopes: ['mcp:read', 'mcp:write'],
  resource: 'https://mcp.example.com',
};

function query(url: string): Record<string, string> {
  return Object.fromEntries(new URL(url).searchParams);
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof FailureError) return error.failure.code;
  }
  return 'nothing thrown';
}

describe('the authorization request', () => {
  it('carries PKCE, state, the resource without an added slash and the redirect URI in use (AUT-01)', () => {
    const url = authorizationUrl(request);
    expect(url.startsWith('https://as.example.com/authorize?')).toBe(true);
    expect(query(url)).toEqual({
      response_type: 'code',
      client_id: 'client 1',
      redirect_uri: 'http://127.0.0.1:49152/callback',
      state: 'state-1',
      code_challenge: 'challenge-1',
      code_challenge_method: 'S256',
      scope: 'mcp:read mcp:write',
      resource: 'https://mcp.example.com',
    });
  });

  it('leaves out scope, resource and prompt where there are none (AUT-01)', () => {
    const { scopes: _scopes, resource: _resource, ...rest } = request;
    expect(Object.keys(query(authorizationUrl({ ...rest, scopes: [] })))).toEqual([
      'response_type',
      'client_id',
      'redirect_uri',
      'state',
      'code_challenge',
      'code_challenge_method',
    ]);
  });

  it('adds the parameters of the embedder except the reserved ones (AUT-01)', () => {
    const hostile = Object.fromEntries([...RESERVED_PARAMETERS].map((name) => [name, 'hostile']));
    const { resource: _resource, ...rest } = request;
    const sent = query(authorizationUrl({ ...rest, extra: { ...hostile, audience: 'api', login_hint: 'a&b=c' } }));
    expect(Object.values(sent)).not.toContain('hostile');
    expect(sent).toMatchObject({ audience: 'api', login_hint: 'a&b=c' });
  });

  it('keeps the query of the endpoint character for character (AUT-03)', () => {
    const endpoint = 'https://as.example.com/authorize?p=B2C_1_sign%20in&flag&tenant=a%2Fb';
    const url = authorizationUrl({ ...request, metadata: { ...metadata, authorization_endpoint: endpoint } });
    expect(url.startsWith(`${endpoint}&response_type=code&`)).toBe(true);
  });

  it('sends no parameter twice when the endpoint already has one of them (AUT-03)', () => {
    const endpoint = 'https://as.example.com/authorize?client%5Fid=other&keep=1&scope=other&state=fixed#fragment';
    const url = new URL(authorizationUrl({ ...request, metadata: { ...metadata, authorization_endpoint: endpoint } }));
    for (const name of ['client_id', 'scope', 'state']) expect(url.searchParams.getAll(name)).toHaveLength(1);
    expect(url.searchParams.get('client_id')).toBe('client 1');
    expect(url.searchParams.get('keep')).toBe('1');
    expect(url.hash).toBe('');
  });

  it('sends prompt=consent with offline access, beside the prompts of the embedder (SCO-02)', () => {
    expect(query(authorizationUrl({ ...request, prompt: 'consent' })).prompt).toBe('consent');
    expect(query(authorizationUrl({ ...request, prompt: 'consent', extra: { prompt: 'select_account' } })).prompt).toBe(
      'select_account consent',
    );
    expect(query(authorizationUrl({ ...request, prompt: 'consent', extra: { prompt: 'consent' } })).prompt).toBe('consent');
    expect(query(authorizationUrl({ ...request, prompt: 'consent', extra: { prompt: 'none' } })).prompt).toBe('none');
  });

  it('refuses an endpoint that no user may be sent to', () => {
    for (const authorization_endpoint of ['javascript:alert(1)', 'http://as.example.com/authorize', 'file:///etc/passwd']) {
      expect(codeOf(() => authorizationUrl({ ...request, metadata: { ...metadata, authorization_endpoint } }))).toBe('endpoint_refused');
    }
    expect(codeOf(() => authorizationUrl({ ...request, metadata: { issuer: metadata.issuer } }))).toBe('metadata_incomplete');
  });
});
