import { describe, expect, it } from 'vitest';
import { postEndpoint } from '../helpers/token-endpoint.ts';
import { refresh, tokens } from '../helpers/token-requests.ts';

describe('a refresh', () => {
  it('sends resource, and no scope (RFR-06)', async () => {
    const endpoint = await postEndpoint({ body: tokens });
    await refresh(endpoint, { resource: 'https://mcp.example.com' });
    expect(Object.fromEntries(endpoint.posts[0]?.form ?? [])).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh-1',
      client_id: 'client-1',
      resource: 'https://mcp.example.com',
    });
  });

  it('sends scope where narrowing is asked for (RFR-06)', async () => {
    const endpoint = await postEndpoint({ body: tokens });
    await refresh(endpoint, { scopes: ['a', 'b'] });
    await refresh(endpoint, { scopes: [] });
    expect(endpoint.posts.map(({ form }) => form.get('scope'))).toEqual(['a b', null]);
  });
});
