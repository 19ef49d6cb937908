import { describe, expect, it, vi } from 'vitest';
import { createAuthorizationClient } from '../../src/client.ts';
import type { AuthorizationClientOptions } from '../../src/options.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { problemsOf } from '../helpers/problems-of.ts';

const GOOD: AuthorizationClientOptions = {
  resource: 'https://mcp.example.com/mcp',
  clientMetadata: { redirect_uris: ['http://127.0.0.1/callback'] },
};
const ISSUER = 'https://login.example.com';

/** The problems of these options, and of nothing else. */
const problemsOfClient = (options: Readonly<Record<string, unknown>>): readonly string[] =>
  problemsOf(() => createAuthorizationClient({ ...GOOD, ...options } as AuthorizationClientOptions));

describe('a client that is configured wrongly', () => {
  it('is not created, and every mistake is named at once (SEC-07, REG-02, AUT-01, ISS-07)', () => {
    const problems = problemsOfClient({
      resource: 'http://mcp.example.com/mcp',
      account: '',
      clientMetadata: { redirect_uris: ['http://app.example.com/callback', 'nonsense'] },
      clientMetadataUrl: 'http://app.example.com/',
      preregistered: [
        { issuer: ISSUER, client_id: '' },
        { issuer: ISSUER, client_id: 'x', token_endpoint_auth_method: 'client_secret_post' },
      ],
      authorizationParameters: { state: 'mine', audience: 'fine' },
      scope: 'read "write"',
      limits: { requestTries: -1, requestTimeout: 5 },
      store: {},
    });
    expect(problems).toHaveLength(14);
    const all = problems.join('\n');
    for (const option of [
      'resource',
      'account',
      'redirect_uris',
      'client metadata URL',
      'preregistered',
      'client_id',
      'client_secret',
      'state',
      'scope',
      'requestTries',
      'requestTimeout',
      'store',
    ]) {
      expect(all).toContain(option);
    }
    expect(all).not.toContain('audience');
  });

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['no resource', { resource: undefined }, '`resource` is missing: the URL of the MCP server.'],
    ['a resource that is no URL', { resource: 'mcp.example.com' }, '`resource` is not usable'],
    ['a resource in the clear', { resource: 'http://mcp.example.com' }, '`resource` must be an https URL'],
    ['a resource with a password in it', { resource: 'https://user:word@mcp.example.com' }, '`resource` is not usable'],
    ['a resource of another kind', { resource: 'javascript:alert(1)' }, '`resource` is not usable'],
    ['nowhere to come back to', { clientMetadata: {} }, 'Without a `userAgent`'],
    ['an empty list of redirect URIs', { clientMetadata: { redirect_uris: [] } }, '`clientMetadata.redirect_uris` is empty'],
    ['a redirect URI with a fragment', { clientMetadata: { redirect_uris: ['https://a.example/x#y'] } }, 'a fragment'],
    ['a redirect URI that runs code', { clientMetadata: { redirect_uris: ['javascript:alert(1)'] } }, 'the scheme javascript:'],
    ['a redirect URI in the clear', { clientMetadata: { redirect_uris: ['http://a.example/x'] } }, 'not on a loopback address'],
    ['a metadata document at the root', { clientMetadataUrl: 'https://app.example.com' }, 'needs a path'],
    ['two clients for one issuer', { preregistered: [{ client_id: 'a' }, { client_id: 'b' }] }, 'the same issuer twice'],
    [
      'a key method without its key',
      { preregistered: [{ client_id: 'a', token_endpoint_auth_method: 'private_key_jwt' }] },
      'no `privateKey`',
    ],
    ['a client of something that is no issuer', { preregistered: [{ client_id: 'a', issuer: 'login' }] }, 'is not an https URL'],
    ['a policy for something that is no issuer', { issuers: { 'http://login.example.com': {} } }, '`issuers` names an issuer'],
    ['metadata under another issuer', { serverMetadata: { [ISSUER]: { issuer: 'https://other.example' } } }, 'metadata of another issuer'],
    ['a verifier of its own', { authorizationParameters: { code_challenge: 'x' } }, '`code_challenge`'],
    ['another place to attach tokens', { attachTo: 'everywhere' }, '`attachTo`'],
    ['a revision that breaks the header', { protocolVersion: '2025\r\nx: y' }, '`protocolVersion`'],
    ['a misspelt rule for server-supplied URLs', { serverUrls: 'Strict' }, '`serverUrls` must be `standard` or `strict`.'],
    ['a rule of `null`', { serverUrls: null }, '`serverUrls`'],
    ['exceptions that are no function', { serverUrls: { except: ['https://10.0.0.5'] } }, '`serverUrls.except`'],
    ['a resolver that is none', { serverUrls: { resolve: true } }, '`serverUrls.resolve`'],
    ['an unknown member of `serverUrls`', { serverUrls: { allow: () => true } }, '`serverUrls.allow`'],
    ['no time for a request', { limits: { requestTimeoutMs: 0 } }, '`limits.requestTimeoutMs`'],
    ['a limit that is no number', { limits: { responseBytes: Number.NaN } }, '`limits.responseBytes`'],
    ['a store class in place of a store', { store: class {} }, '`store` lacks `read`, `write`'],
    ['a vault that is a promise', { vault: Promise.resolve(memoryStore()) }, '`vault` lacks'],
    ['a user agent that opens nothing', { userAgent: {} }, '`userAgent` lacks `open`'],
    ['a clock that cannot wait', { clock: { now: Date.now } }, '`clock` lacks `sleep`'],
    ['a fetch that is none', { fetch: 'fetch' }, '`fetch` is not a function'],
  ])('because of %s', (_what, options, problem) => {
    const problems = problemsOfClient(options);
    expect(problems.join('\n')).toContain(problem);
    for (const text of problems) expect(text).toMatch(/[.:)]$/);
  });

  it('because it was told nothing at all, as from JavaScript', () => {
    expect(() => (createAuthorizationClient as (options?: AuthorizationClientOptions) => unknown)()).toThrow(
      /^The configuration is wrong\. The options are missing; `resource` at least has to be named\. .*\[invalid_configuration\]$/,
    );
  });

  it('because of metadata with endpoints that nobody may use (ASM-04)', () => {
    const metadata = { issuer: ISSUER, authorization_endpoint: 'javascript:alert(1)', token_endpoint: 'http://login.example.com/token' };
    expect(problemsOfClient({ serverMetadata: { [ISSUER]: metadata } })).toEqual([
      `\`serverMetadata\` of "${ISSUER}" has an \`authorization_endpoint\` that is not https.`,
      `\`serverMetadata\` of "${ISSUER}" has an \`token_endpoint\` that is not https.`,
    ]);
  });

  it('is told so without its secrets (SEC-01)', () => {
    const preregistered = [
      { issuer: 'nowhere', client_id: '', client_secret: 'SECRET-of-the-embedder', token_endpoint_auth_method: 'client_secret_post' },
    ];
    expect(problemsOfClient({ preregistered, resource: 'https://user:SECRET-word@mcp.example.com' }).join()).not.toContain('SECRET-');
  });
});

describe('a misspelt option', () => {
  it('is named, for callers without a type checker (SEC-07)', () => {
    expect(problemsOfClient({ clientMetadta: {}, usreAgent: undefined })).toEqual([
      '`clientMetadta` is no option.',
      '`usreAgent` is no option.',
    ]);
  });
});

describe('a client that is configured well', () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['with nothing but a resource and a redirect URI', {}],
    ['on loopback in the clear', { resource: 'http://127.0.0.1:8080/mcp', issuers: { 'http://localhost:9000': { assumePkce: true } } }],
    ['with a scheme of its own', { clientMetadata: { redirect_uris: ['com.example.app:/callback'] } }],
    ['with a URL object and lists', { resource: new URL('https://mcp.example.com'), scope: ['read', 'write'] }],
    ['with one client for every issuer', { preregistered: [{ client_id: 'a' }, { client_id: 'b', issuer: ISSUER }] }],
    ['with no tries again and no skew', { limits: { requestTries: 0, expirySkewMs: 0, retryDelayMs: 0 } }],
    ['with options that are given as undefined', { store: undefined, scope: undefined, userAgent: undefined, logger: undefined }],
  ])('is created %s', (_what, options) => {
    expect(problemsOfClient(options)).toEqual([]);
  });

  it('does nothing until it is asked: no request, no timer (FET-11)', async () => {
    const fetch = vi.fn(async () => new Response());
    const client = createAuthorizationClient({ ...GOOD, fetch });
    expect(client.status).toEqual({ step: 'idle', resource: 'https://mcp.example.com/mcp', account: 'default' });
    expect(fetch).not.toHaveBeenCalled();
    await client.close();
  });
});
