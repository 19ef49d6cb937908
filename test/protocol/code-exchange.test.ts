import { describe, expect, it } from 'vitest';
import { failureOfPromise } from '../helpers/local-server.ts';
import { postEndpoint } from '../helpers/token-endpoint.ts';
import { exchange, redirectUri, SECRETS, tokens } from '../helpers/token-requests.ts';

describe('the exchange of a code', () => {
  it('sends code, verifier, redirect URI, client and resource, and nothing else (AUT-02)', async () => {
    const endpoint = await postEndpoint({ body: tokens });
    await exchange(endpoint, { resource: 'https://mcp.example.com' });
    const sent = endpoint.posts[0];
    expect(sent?.method).toBe('POST');
    expect(sent?.headers['accept']).toBe('application/json');
    expect(Object.fromEntries(sent?.form ?? [])).toEqual({
      grant_type: 'authorization_code',
      code: 'code-1',
      code_verifier: 'verifier-1',
      redirect_uri: redirectUri,
      client_id: 'client-1',
      resource: 'https://mcp.example.com',
    });
  });

  it('leaves resource out where none is to be sent (AUT-02)', async () => {
    const endpoint = await postEndpoint({ body: tokens });
    await exchange(endpoint);
    expect(endpoint.posts[0]?.form.has('resource')).toBe(false);
  });

  it('lets no parameter of the embedder replace one of the grant', async () => {
    const endpoint = await postEndpoint({ body: tokens });
    await exchange(endpoint, {
      resource: 'r',
      extra: { code: 'x', code_verifier: 'x', redirect_uri: 'x', grant_type: 'x', client_id: 'x', resource: 'x', audience: 'api' },
    });
    const form = endpoint.posts[0]?.form ?? new URLSearchParams();
    expect([...form.values()]).not.toContain('x');
    expect(form.get('audience')).toBe('api');
  });

  it('keeps the query of the token endpoint', async () => {
    const endpoint = await postEndpoint({ body: tokens }, '/token?p=B2C_1');
    await exchange(endpoint);
    expect(endpoint.posts[0]?.path).toBe('/token?p=B2C_1');
  });

  it('takes a callback only as the check returned it', async () => {
    const endpoint = await postEndpoint({ body: tokens });
    const failure = await failureOfPromise(exchange(endpoint, { validated: new URLSearchParams({ code: 'code-1' }) }));
    expect(failure.code).toBe('internal_error');
    expect(JSON.stringify(failure)).not.toMatch(SECRETS);
    expect(endpoint.posts).toHaveLength(0);
  });
});
