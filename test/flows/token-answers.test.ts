import { describe, expect, it } from 'vitest';
import { hugeJson } from '../fixtures/scripted/bad-answers.ts';
import type { Document } from '../fixtures/scripted/options.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { failureOfCall } from '../helpers/waiting.ts';

type Change = (document: Document) => unknown;

describe('a login and a refresh', () => {
  it.each<[string, Change]>([
    ['status 201', (document) => Response.json(document, { status: 201 })],
    ['no token_type', ({ token_type: _, ...document }) => document],
    ['token_type in capitals', (document) => ({ ...document, token_type: 'BEARER' })],
    ['expires_in as a text', (document) => ({ ...document, expires_in: '3600' })],
    ['null members', (document) => ({ ...document, scope: null, id_token: null, error: null })],
    ['JSON that calls itself HTML', (document) => new Response(JSON.stringify(document), { headers: { 'content-type': 'text/html' } })],
  ])('work with a token endpoint that answers with %s (TOK-02)', async (_, change) => {
    const { client, servers, clock, user } = scene({ authorizationServer: { tokenResponse: change } });
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    await clock.advance(UNTIL_EXPIRED_MS);
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(servers.requestsFor('token').map(({ form }) => form.get('grant_type'))).toEqual(['authorization_code', 'refresh_token']);
    expect(user.shown).toHaveLength(1);
  });

  it.each<[string, Change, string]>([
    ['an empty access token', (document) => ({ ...document, access_token: '' }), 'token_response_invalid'],
    ['no access token', ({ access_token: _, ...document }) => document, 'token_response_invalid'],
    ['a token type nobody knows', (document) => ({ ...document, token_type: 'mac' }), 'token_response_invalid'],
    ['half of a document', (document) => new Response(JSON.stringify(document).slice(0, -5)), 'token_response_invalid'],
    ['an error under 200', () => ({ error: 'invalid_scope', error_description: 'no \u202Esuch\nscope' }), 'token_request_rejected'],
  ])('end with a coded error at a token endpoint that answers with %s (TOK-02, TOK-03)', async (_, change, code) => {
    const { client, servers } = scene({ authorizationServer: { tokenResponse: change } });
    const failure = await failureOfCall(client.fetch(servers.resource.url, CALL));
    expect(failure).toMatchObject({ code, phase: 'token', details: { issuer: servers.authorizationServer.issuer } });
    expect(JSON.stringify(failure)).not.toMatch(/SECRET|[\u202E\n]/);
    expect(client.status.step).toBe('failed');
  });

  it('end with a coded error at an answer beyond the size limit (TOK-02)', async () => {
    const { client, servers } = scene();
    servers.respond('token', hugeJson(300_000));
    expect((await failureOfCall(client.fetch(servers.resource.url, CALL))).code).toBe('response_too_large');
  });
});
