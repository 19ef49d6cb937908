import { describe, expect, it } from 'vitest';
import { CALL, scene } from '../helpers/scripted-client.ts';

describe('a first request', () => {
  it('runs the whole flow and returns the answer of the resource with six requests, none wasted (FET-04)', async () => {
    const { client, servers, user } = scene();
    const response = await client.fetch(servers.resource.url, CALL);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ method: 'POST', body: CALL.body });
    expect(servers.wire()).toEqual([
      'POST /mcp 401',
      'GET /.well-known/oauth-protected-resource/mcp 200',
      'GET https://login.example.com/.well-known/oauth-authorization-server 200',
      'POST https://login.example.com/register 201',
      'POST https://login.example.com/token 200',
      'POST /mcp 200',
    ]);
    expect(servers.violations).toEqual([]);
    expect(user.shown).toHaveLength(1);
    expect(client.status.step).toBe('authorized');
  });
});
