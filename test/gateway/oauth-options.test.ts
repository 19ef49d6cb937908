import { describe, expect, it } from 'vitest';
import { AuthorizationError } from '../../src/errors.ts';
import { type GatewayHandlerOptions, gatewayHandler } from '../../src/gateway/gateway-handler.ts';
import { createGateway } from '../../src/gateway/oauth/create-gateway.ts';
import { gatewayOptionsFromEnvironment } from '../../src/gateway/oauth/environment-options.ts';
import type { GatewayOptions } from '../../src/gateway/oauth/gateway-options.ts';
import { resourceServer } from '../../src/gateway/oauth/resource-server.ts';
import { protect } from '../../src/gateway/protect.ts';
import { reverseProxy } from '../../src/gateway/proxy/reverse-proxy.ts';
import type { TokenValidator } from '../../src/gateway/token-validator.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { problemsOf } from '../helpers/problems-of.ts';

const GOOD: GatewayOptions = {
  resource: 'https://mcp.example.com/mcp',
  upstream: { issuer: 'https://login.example.com', clientId: 'gateway', clientSecret: 'a secret' },
};

const problemsOfGateway = (options: unknown): readonly string[] => problemsOf(() => createGateway(options as GatewayOptions));

describe('the options of a gateway', () => {
  it('are enough with a resource and an identity provider (GWY-03)', () => {
    expect(problemsOfGateway(GOOD)).toEqual([]);
    expect(problemsOfGateway({ ...GOOD, resource: new URL('http://127.0.0.1:3000/mcp') })).toEqual([]);
  });

  it('name every mistake at once, and quote no value (GWY-14)', () => {
    const problems = problemsOfGateway({
      resource: 'http://mcp.example.com/mcp',
      issuer: 'https://gateway.example.com/?hunter2',
      upstream: { clientId: '', authMethod: 'hunter2', clientSecrett: 'hunter2', endpoints: { authorization: 'javascript:hunter2' } },
      scopes: ['read', 'hun"ter2'],
      tokens: { format: 'hunter2', accessTokenSeconds: -1, signingKeys: [{ kty: 'oct', k: 'hunter2', alg: 'HS256', kid: '1' }] },
      store: { read: 'hunter2' },
      sealingKeys: { keys: { one: new Uint8Array(3) }, current: 'two' },
      limits: { transactions: 0, hunter2: 1 },
      consent: { style: { '--accent': '#fff}</style>hunter2' } },
      fetch: 'hunter2',
    });
    const named = problems.map((problem) => /^`([^`]+)`/.exec(problem)?.[1]);
    for (const option of [
      'resource',
      'issuer',
      'upstream.clientId',
      'upstream.authMethod',
      'upstream.clientSecrett',
      'upstream.endpoints.authorization',
      'upstream.endpoints.token',
      'scopes',
      'tokens.format',
      'tokens.accessTokenSeconds',
      'tokens.signingKeys',
      'store',
      'sealingKeys',
      'limits.transactions',
      'limits.hunter2',
      'consent.style',
      'fetch',
    ]) {
      expect(named).toContain(option);
    }
    expect(problems.join(' ').replace('`limits.hunter2`', '')).not.toContain('hunter2');
  });

  it.each<[string, () => unknown]>([
    ['createGateway', () => createGateway({ ...GOOD, name: '' })],
    ['gatewayOptionsFromEnvironment', () => gatewayOptionsFromEnvironment({})],
    ['resourceServer', () => resourceServer({ resource: GOOD.resource, authorizationServers: [''] })],
    ['protect', () => protect({ resource: GOOD.resource, validator: {} as TokenValidator, handler: () => new Response() })],
    ['reverseProxy', () => reverseProxy({ resource: GOOD.resource, backend: 'ftp://127.0.0.1' })],
    ['gatewayHandler', () => gatewayHandler({} as GatewayHandlerOptions)],
  ])('are refused in words about the gateway, not about a client, by %s (GWY-14)', (_what, create) => {
    expect(create).toThrow(/^The configuration is wrong\. .* Mend what is named, then try again\. \[invalid_configuration\]$/);
  });

  it.each([[undefined], [null], ['x'], [{}], [{ ...GOOD, upstream: undefined }]])('are refused where they are %j (GWY-14)', (options) => {
    expect(problemsOfGateway(options).length).toBeGreaterThan(0);
  });

  it('need keys of their own where replicas share a store: with one of a process no other could go on (GWY-04, GWY-08)', () => {
    expect(problemsOfGateway({ ...GOOD, store: memoryStore() }).map((problem) => problem.slice(0, 40))).toEqual([
      '`store` needs `sealingKeys`: with a key ',
      '`store` needs `tokens.signingKeys`, or `',
    ]);
  });

  it('that make it safer are refused where they are there and undefined, as a variable that is not set (GWY-04, GWY-14)', () => {
    const { NOT_SET } = {} as { readonly NOT_SET?: string };
    const upstream = { ...GOOD.upstream, clientSecret: NOT_SET, clientKey: NOT_SET };
    const problems = problemsOfGateway({ ...GOOD, upstream, tokens: { signingKeys: NOT_SET }, sealingKeys: NOT_SET, store: NOT_SET });
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      '`upstream.clientSecret` is there, but undefined',
      '`upstream.clientKey` is there, but undefined',
      '`tokens.signingKeys` is there, but undefined',
      '`sealingKeys` is there, but undefined',
      '`store` is there, but undefined',
    ]);
    expect(problemsOfGateway({ ...GOOD, name: undefined, upstream: { ...GOOD.upstream, scopes: undefined } })).toEqual([]);
  });

  it('name a default scope that the gateway knows (GWY-03)', () => {
    expect(problemsOfGateway({ ...GOOD, scopes: ['read'], defaultScope: 'read write' })).toEqual([
      '`defaultScope` has scopes that `scopes` does not name.',
    ]);
  });
});

describe('the environment', () => {
  const ENVIRONMENT = {
    OAUTH_RESOURCE_URL: 'https://mcp.example.com/mcp',
    OAUTH_ISSUER_URL: 'https://gateway.example.com',
    OAUTH_AUTHORIZE_ENDPOINT: 'https://login.example.com/authorize',
    OAUTH_TOKEN_ENDPOINT: 'https://login.example.com/token',
    OAUTH_DEFAULT_SCOPE: 'read  write',
    OAUTH_MAX_REGISTERED_URIS: '3',
    OIDC_ISSUER_URL: 'https://login.example.com',
    OIDC_CLIENT_ID: 'gateway',
    OIDC_CLIENT_SECRET: 'a secret',
    OIDC_AUDIENCE: '',
  };

  const problemsIn = (environment: Readonly<Record<string, string>>, readFile?: (path: string) => string): readonly string[] => {
    try {
      gatewayOptionsFromEnvironment(environment, readFile);
      return [];
    } catch (thrown) {
      if (!(thrown instanceof AuthorizationError)) throw thrown;
      return thrown.failure.details.problems ?? [];
    }
  };

  it('says what the options say (GWY-14)', () => {
    expect(gatewayOptionsFromEnvironment(ENVIRONMENT)).toEqual({
      resource: 'https://mcp.example.com/mcp',
      issuer: 'https://gateway.example.com',
      defaultScope: ['read', 'write'],
      upstream: {
        issuer: 'https://login.example.com',
        endpoints: { authorization: 'https://login.example.com/authorize', token: 'https://login.example.com/token' },
        clientId: 'gateway',
        clientSecret: 'a secret',
      },
      limits: { redirectUris: 3 },
    });
  });

  it('may name a file for the secret, and not both (GWY-14)', () => {
    const { OIDC_CLIENT_SECRET: _, ...rest } = ENVIRONMENT;
    const files: Readonly<Record<string, string>> = { '/secret': ' from a file\n', '/empty': '\n' };
    const readFile = (path: string): string => {
      if (files[path] === undefined) throw new Error(`no such file: ${path}`);
      return files[path];
    };
    expect(gatewayOptionsFromEnvironment({ ...rest, OIDC_CLIENT_SECRET_FILE: '/secret' }, readFile).upstream.clientSecret).toBe(
      'from a file',
    );
    expect(problemsIn({ ...rest, OIDC_CLIENT_SECRET_FILE: '/empty' }, readFile)).toEqual([
      '`OIDC_CLIENT_SECRET_FILE` names a file that is empty.',
    ]);
    expect(problemsIn({ ...rest, OIDC_CLIENT_SECRET_FILE: '/other' }, readFile)).toEqual([
      '`OIDC_CLIENT_SECRET_FILE` names a file that cannot be read.',
    ]);
    expect(problemsIn({ ...ENVIRONMENT, OIDC_CLIENT_SECRET_FILE: '/secret' }, readFile).join()).toContain('both set');
  });

  it('need name no issuer where it names both endpoints (GWY-03, GWY-14)', () => {
    const { OIDC_ISSUER_URL: _, ...rest } = ENVIRONMENT;
    expect(problemsIn(rest)).toEqual([]);
    expect(gatewayOptionsFromEnvironment(rest).upstream).not.toHaveProperty('issuer');
  });

  it('names every mistake by its variable, at once, and no value (GWY-14)', () => {
    const problems = problemsIn({
      OAUTH_RESOURCE_URL: 'hunter2',
      OAUTH_ISSUER_URL: 'ftp://hunter2',
      OAUTH_TOKEN_ENDPOINT: 'hunter2',
      OAUTH_DEFAULT_SCOPE: 'hunter2"',
      OAUTH_MAX_REGISTERED_URIS: 'hunter2',
      OIDC_CLIENT_ID: ' ',
    });
    const named = problems.map((problem) => /^`([^`]+)`/.exec(problem)?.[1]).sort();
    expect(named).toEqual([
      'OAUTH_AUTHORIZE_ENDPOINT',
      'OAUTH_DEFAULT_SCOPE',
      'OAUTH_ISSUER_URL',
      'OAUTH_MAX_REGISTERED_URIS',
      'OAUTH_RESOURCE_URL',
      'OAUTH_TOKEN_ENDPOINT',
      'OIDC_CLIENT_ID',
    ]);
    expect(problems.join()).not.toContain('hunter2');
    expect(problemsIn({})).toContain('Set `OIDC_ISSUER_URL`, or `OAUTH_AUTHORIZE_ENDPOINT` and `OAUTH_TOKEN_ENDPOINT`.');
  });
});
