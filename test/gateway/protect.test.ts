import { describe, expect, expectTypeOf, it } from 'vitest';
import { InsufficientScope } from '../../src/gateway/insufficient-scope.ts';
import { protect } from '../../src/gateway/protect.ts';
import { backendClient, challengeOf, protectedScene, requestWith, scriptedValidator } from './protected-scene.ts';
import { RESOURCE } from './token-issuer.ts';

const METADATA = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp';

describe('a request without credentials', () => {
  it('gets 401 that names the metadata and the scopes, and no error code (GWY-13)', async () => {
    const { handle, served } = protectedScene({ scopes: ['read', 'files:list'] });
    const response = await handle(requestWith());
    expect(response.status).toBe(401);
    expect(challengeOf(response)).toEqual({ scheme: 'Bearer', scope: 'read files:list', resource_metadata: METADATA });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ error: 'unauthorized' });
    expect(served).toEqual([]);
  });

  it('names no scope where none is needed, and the metadata where the configuration says (GWY-13)', async () => {
    const { handle } = protectedScene({ resourceMetadataUrl: 'https://meta.example.com/mcp' });
    expect(challengeOf(await handle(requestWith()))).toEqual({ scheme: 'Bearer', resource_metadata: 'https://meta.example.com/mcp' });
  });

  it('names itself by the configuration, whatever Host and forwarded headers say (GWY-02, GWY-13)', async () => {
    const { handle } = protectedScene();
    const headers = { host: 'evil.example.com', 'x-forwarded-host': 'evil.example.com', forwarded: 'host=evil.example.com' };
    const response = await handle(requestWith(undefined, { headers }, 'https://evil.example.com/mcp'));
    expect(challengeOf(response)).toMatchObject({ resource_metadata: METADATA });
  });

  it('is not let in by a token in the query or in a form (GWY-13)', async () => {
    const { handle, served } = protectedScene();
    expect((await handle(requestWith(undefined, {}, `${RESOURCE}?access_token=good-alice`))).status).toBe(401);
    const body = new URLSearchParams({ access_token: 'good-alice' });
    expect((await handle(requestWith(undefined, { method: 'POST', body }))).status).toBe(401);
    expect(served).toEqual([]);
  });
});

describe('an Authorization header', () => {
  it.each(['Bearer good-alice', 'bearer good-alice', 'BEARER   good-alice'])('lets in: %s (GWY-13)', async (authorization) => {
    const { handle } = protectedScene();
    expect(await (await handle(requestWith(authorization))).text()).toBe('hello alice by good-alice');
  });

  it.each([
    ['two tokens', 'Bearer good-alice, Bearer good-bob'],
    ['the same token twice', 'Bearer good-alice, Bearer good-alice'],
    ['a token and more', 'Bearer good-alice more'],
    ['nothing behind the scheme', 'Bearer'],
    ['a parameter', 'Bearer token="good-alice"'],
    ['characters that no token has', 'Bearer good-älice'],
    ['nothing at all', ''],
    ['20,000 characters', `Bearer good-${'x'.repeat(20_000)}`],
  ])('is malformed with %s: 401 invalid_token (GWY-13)', async (_what, authorization) => {
    const { handle, served } = protectedScene({ fallbackClient: backendClient('fallback') });
    const response = await handle(requestWith(authorization));
    expect(response.status).toBe(401);
    expect(challengeOf(response)).toMatchObject({ error: 'invalid_token', resource_metadata: METADATA });
    expect(served).toEqual([]);
  });

  it('that came twice is refused, though both are good (GWY-13)', async () => {
    const { handle } = protectedScene();
    const headers = new Headers([
      ['authorization', 'Bearer good-alice'],
      ['authorization', 'Bearer good-bob'],
    ]);
    expect((await handle(new Request(RESOURCE, { headers }))).status).toBe(401);
  });

  it.each(['Basic Z29vZC1hbGljZTo=', 'good-alice', 'DPoP good-alice', 'Basic x, Bearer good-alice'])(
    'of another scheme is no credential: 401 without error code (GWY-13): %s',
    async (authorization) => {
      const { handle, served } = protectedScene();
      const response = await handle(requestWith(authorization));
      expect([response.status, challengeOf(response)]).toEqual([401, { scheme: 'Bearer', resource_metadata: METADATA }]);
      expect(served).toEqual([]);
    },
  );
});

describe('a token without the scopes', () => {
  it('gets 403 that lists all scopes needed, those it has included (GWY-13)', async () => {
    const { handle, clients } = protectedScene({ scopes: ['read', 'write'] });
    const response = await handle(requestWith('Bearer good-alice'));
    expect(response.status).toBe(403);
    expect(challengeOf(response)).toMatchObject({ error: 'insufficient_scope', scope: 'read write', resource_metadata: METADATA });
    expect(clients).toEqual([]);
  });

  it('for one operation gets 403 with what the endpoint and the operation need, and its client is closed (GWY-13, GWY-11)', async () => {
    const handler = () => {
      throw new InsufficientScope(['alarm:write', 'x"y', 'ü']);
    };
    const { handle, clients } = protectedScene({ scopes: ['read'], handler });
    const response = await handle(requestWith('Bearer good-alice'));
    expect([response.status, challengeOf(response)]).toEqual([403, expect.objectContaining({ scope: 'read alarm:write' })]);
    expect(clients.map(({ closed }) => closed)).toEqual([1]);
  });
});

describe('the fallback client', () => {
  it('serves requests that have no Authorization header at all, and is never closed (GWY-12)', async () => {
    const fallbackClient = backendClient('from-the-environment');
    const { handle, served, clients } = protectedScene({ fallbackClient });
    for (let n = 0; n < 3; n += 1) expect(await (await handle(requestWith())).text()).toBe('hello nobody by from-the-environment');
    expect(served[0]).toEqual({ token: 'from-the-environment', subject: undefined });
    expect([fallbackClient.closed, clients]).toEqual([0, []]);
  });

  it.each(['Bearer bad', 'Bearer', 'Basic eA==', '', 'Bearer good-alice, Bearer good-bob'])(
    'is not used when credentials came: "%s" (GWY-12)',
    async (authorization) => {
      const { handle, served } = protectedScene({ fallbackClient: backendClient('fallback') });
      expect((await handle(requestWith(authorization))).status).toBe(401);
      expect(served).toEqual([]);
    },
  );

  it('is not used in an outage (GWY-12)', async () => {
    const { handle, served } = protectedScene({ fallbackClient: backendClient('fallback') });
    expect([(await handle(requestWith('Bearer down'))).status, served]).toEqual([503, []]);
  });

  it('is not handed to callers, even by mistake (GWY-12)', async () => {
    const fallbackClient = backendClient('fallback');
    const { handle, served } = protectedScene({ fallbackClient, createClient: () => fallbackClient });
    expect([(await handle(requestWith('Bearer good-alice'))).status, served, fallbackClient.closed]).toEqual([502, [], 0]);
  });
});

describe('a handler that needs no client', () => {
  const alone = (more: object = {}) =>
    protect({
      resource: RESOURCE,
      validator: scriptedValidator,
      handler: (_request, { client, caller }) => {
        expectTypeOf(client).toEqualTypeOf<undefined>();
        return Response.json({ client: typeof client, subject: caller?.subject });
      },
      ...more,
    });

  it('leaves createClient out, and is asked for callers only (GWY-11, GWY-13)', async () => {
    const handle = alone();
    expect(await (await handle(requestWith('Bearer good-alice'))).json()).toEqual({ client: 'undefined', subject: 'alice' });
    expect([(await handle(requestWith())).status, (await handle(requestWith('Bearer bad'))).status]).toEqual([401, 401]);
  });

  it.each([
    ['a createClient that is undefined', { createClient: undefined }, '`createClient` is not a function'],
    ['a fallback', { fallbackClient: backendClient('fallback') }, '`fallbackClient` needs `createClient`'],
    ['something to close', { closeClient: () => {} }, '`closeClient` needs `createClient`'],
  ])('is not one with %s (GWY-12, GWY-13)', (_what, more, problem) => {
    expect(() => alone(more)).toThrow(problem);
  });
});

it('mistakes in the configuration are all told at once (GWY-13)', () => {
  const options = {
    createClient: null,
    resource: 'http://mcp.example.com',
    validator: {},
    handler: 'x',
    scopes: ['a b'],
    resourceMetadataUrl: 'javascript:1',
    validationTimeoutMs: 0,
    fallbackClient: null,
    clients: 1,
  };
  try {
    protect(options as never);
    expect.unreachable();
  } catch (thrown) {
    const { code, failure } = thrown as { code: string; failure: { details: { problems: string[] } } };
    expect(code).toBe('invalid_configuration');
    expect(failure.details.problems.map((problem) => /`([\w.]+)`/.exec(problem)?.[1])).toEqual([
      'clients',
      'resource',
      'validator',
      'handler',
      'createClient',
      'scopes',
      'fallbackClient',
      'resourceMetadataUrl',
      'validationTimeoutMs',
    ]);
  }
});
