import { describe, expect, it } from 'vitest';
import type { UrlPurpose } from '../../src/options.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { failureOfCall } from '../helpers/waiting.ts';

describe('a policy for the URLs that servers name', () => {
  it('is asked about every one of a login, the page of the user included, without what is said there (SEC-03)', async () => {
    const asked: string[] = [];
    const { client, servers } = scene({ client: { allowUrl: (url, purpose) => asked.push(`${purpose} ${url.href}`) > 0 } });
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(asked).toEqual([
      'resource-metadata https://mcp.example.com/.well-known/oauth-protected-resource/mcp',
      'server-metadata https://login.example.com/.well-known/oauth-authorization-server',
      'registration https://login.example.com/register',
      'authorization https://login.example.com/authorize',
      'token https://login.example.com/token',
    ]);
  });

  it.each<UrlPurpose>(['resource-metadata', 'server-metadata', 'registration', 'authorization', 'token'])(
    'sends nobody and nothing to a %s URL that it refuses (SEC-03)',
    async (refused) => {
      const { client, servers, user } = scene({ client: { allowUrl: (_url, purpose) => purpose !== refused } });
      expect(await failureOfCall(client.fetch(servers.resource.url, CALL))).toMatchObject({ code: 'url_refused' });
      expect(servers.requestsFor(refused)).toEqual([]);
      if (refused === 'authorization') expect(user.shown).toEqual([]);
    },
  );
});
