import { describe, expect, it } from 'vitest';
import { FailureError } from '../../src/failure.ts';
import { checkHostedDocument, clientMetadataDocument, problemsOfClientMetadataUrl } from '../../src/protocol/client-metadata-document.ts';
import type { ClientMetadata } from '../../src/protocol/documents.ts';
import type { Http } from '../../src/protocol/http.ts';
import { problemsOf } from '../helpers/problems-of.ts';

const url = 'https://app.example.com/oauth/client.json';
const metadata: ClientMetadata = {
  client_name: 'Example',
  redirect_uris: ['http://127.0.0.1:49152/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'none',
};

function hosting(body: unknown, init: ResponseInit = {}): Http {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return () => Promise.resolve(new Response(text, { headers: { 'content-type': 'application/json' }, ...init }));
}

describe('the URL of a client ID metadata document', () => {
  it.each([url, 'https://app.example.com:8443/c', 'https://app.example.com/client.json?v=1', 'https://app.example.com/a.b/..c/.d'])(
    'may be %s (REG-02)',
    (good) => {
      expect(problemsOfClientMetadataUrl(good)).toEqual([]);
    },
  );

  it.each([
    ['http://app.example.com/client.json', /https/],
    ['https://app.example.com', /path/],
    ['https://app.example.com/', /path/],
    ['https://app.example.com/a/../client.json', /segment/],
    ['https://app.example.com/a/%2e%2E/client.json', /segment/],
    ['https://app.example.com/client/.', /segment/],
    ['https://app.example.com/client.json#top', /fragment/],
    ['https://app.example.com/client.json#', /fragment/],
    ['https://user@app.example.com/client.json', /user/],
    ['client.json', /not a URL/],
  ])('may not be %s (REG-02)', (bad, problem) => {
    expect(problemsOfClientMetadataUrl(bad).join(' ')).toMatch(problem);
  });

  it('is told everything that is wrong with it at once (REG-02)', () => {
    expect(problemsOfClientMetadataUrl('http://user@app.example.com/#x')).toHaveLength(4);
  });
});

describe('the document to host', () => {
  it('names its own URL as the client identifier (REG-02)', () => {
    expect(clientMetadataDocument(url, metadata)).toMatchObject({ client_id: url, ...metadata });
  });

  it('is not made with problems, and all of them are named by the public error (REG-02)', () => {
    const made = (): unknown =>
      clientMetadataDocument('http://app.example.com/', { redirect_uris: [], token_endpoint_auth_method: 'client_secret_basic' });
    expect(problemsOf(made)).toHaveLength(5);
  });
});

describe('the check of a hosted document', () => {
  it('finds nothing wrong with the document that the helper made (REG-02)', async () => {
    expect(await checkHostedDocument(hosting(clientMetadataDocument(url, metadata)), url, metadata)).toEqual([]);
  });

  it('lets the port of a loopback redirect URI differ (REG-02)', async () => {
    const hosted = { ...clientMetadataDocument(url, metadata), redirect_uris: ['http://127.0.0.1/callback'] };
    expect(await checkHostedDocument(hosting(hosted), url, metadata)).toEqual([]);
  });

  it.each([
    ['http://127.0.0.1/callback', 'http://127.0.0.1:49152/callback?x=1'],
    ['https://app.example.com/callback', 'https://app.example.com:8443/callback'],
    ['https://localhost/callback', 'https://localhost:8443/callback'],
    ['http://app.example.com/callback', 'http://app.example.com:8080/callback'],
    ['callback', 'other'],
  ])('lets nothing else of a redirect URI differ: %s does not cover %s (REG-02)', async (hosted, used) => {
    const document = { ...clientMetadataDocument(url, metadata), redirect_uris: [hosted] };
    const problems = await checkHostedDocument(hosting(document), url, { ...metadata, redirect_uris: [used] });
    expect(problems).toEqual([`redirect_uris lacks ${used}.`]);
  });

  it.each([
    ['another client_id', { client_id: `${url}?` }, /client_id must be exactly/],
    ['no name', { client_name: undefined }, /client_name is missing/],
    ['other redirect URIs', { redirect_uris: ['http://127.0.0.1/other', 'http://localhost/callback'] }, /redirect_uris lacks http:\/\/127/],
    ['no refresh tokens', { grant_types: undefined }, /grant_types lacks refresh_token/],
    ['another authentication method', { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://x.example' }, /must be none/],
    ['no authentication method', { token_endpoint_auth_method: undefined }, /must be none/],
    ['a published secret', { client_secret: 'planted' }, /must not be published/],
  ])('tells of %s (REG-02)', async (_what, change, problem) => {
    const problems = await checkHostedDocument(hosting({ ...clientMetadataDocument(url, metadata), ...change }), url, metadata);
    expect(problems.join(' ')).toMatch(problem);
    expect(problems.join(' ')).not.toContain('planted');
  });

  it.each([
    ['a missing document', hosting('', { status: 404 }), /status 404/],
    ['another content type', hosting({}, { headers: { 'content-type': 'text/html' } }), /content type/],
    ['a document that is not JSON', hosting('<html>'), /not a JSON object/],
    ['a document that is too large', hosting(JSON.stringify({ pad: 'é'.repeat(3000) })), /larger than 5 kB/],
    [
      'a host that cannot be reached',
      (() => Promise.reject(new FailureError('network_unreachable', 'configuration'))) as Http,
      /could not be reached/,
    ],
  ])('tells of %s (REG-02)', async (_what, http, problem) => {
    expect((await checkHostedDocument(http, url, metadata)).join(' ')).toMatch(problem);
  });

  it('takes a client without a method for a public one (REG-02)', async () => {
    const { token_endpoint_auth_method: _none, ...rest } = metadata;
    expect(await checkHostedDocument(hosting(clientMetadataDocument(url, metadata)), url, rest)).toEqual([]);
  });

  it('asks nobody for a URL that cannot be a client identifier (REG-02)', async () => {
    const http: Http = () => Promise.reject(new Error('asked'));
    expect(await checkHostedDocument(http, 'http://app.example.com/client.json', metadata)).toHaveLength(1);
  });
});
