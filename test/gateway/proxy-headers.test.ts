import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { asked, PUBLIC, proxiedScene } from './proxied-scene.ts';

describe('what the backend is told', () => {
  it('who calls, and nothing that the caller authenticated with (GWY-11)', async () => {
    const { handle, seen, backend } = await proxiedScene();
    const response = await handle(asked({ headers: { cookie: 'a=b', dpop: 'proof', origin: 'https://evil.example.com' } }));
    expect([response.status, await response.text()]).toEqual([200, 'hello']);
    const { headers } = seen[0] ?? {};
    expect(headers).toMatchObject({ 'x-authchart-subject': 'alice', 'x-authchart-scope': 'read', host: new URL(backend).host });
    for (const name of ['authorization', 'cookie', 'dpop', 'origin', 'x-authchart-client-id']) expect(headers).not.toHaveProperty(name);
  });

  it('identities that are not visible ASCII percent-encoded, so that no value is another header or another person (GWY-11)', async () => {
    const { handle, seen } = await proxiedScene(
      undefined,
      {},
      {
        validator: {
          validate: async (token) => ({
            token,
            subject: 'zoë%20 \r\nX-Authchart-Subject: root\ud800',
            clientId: 'https://client.example.com/a b',
            scopes: ['read', 'write'],
            claims: { iss: 'https://login.example.com' },
          }),
        },
      },
    );
    await handle(asked());
    expect(seen[0]?.headers).toMatchObject({
      'x-authchart-subject': 'zo%C3%AB%2520%20%0D%0AX-Authchart-Subject:%20root%EF%BF%BD',
      'x-authchart-client-id': 'https://client.example.com/a%20b',
      'x-authchart-scope': 'read write',
      'x-authchart-issuer': 'https://login.example.com',
    });
  });

  it.each([
    'X-Authchart-Subject',
    'x-authchart-admin',
    'X_Authchart_Subject',
    'X_AUTHCHART-SUBJECT',
    'X.Authchart.Subject',
    'X-Forwarded-For',
    'X_Forwarded_Host',
    'Forwarded',
    'X-Real-IP',
    'X-Original-URL',
    'Proxy',
    'Proxy-Authorization',
    'Sec-Fetch-Site',
    'Referer',
    'X-HTTP-Method-Override',
    'Remote-User',
    'X_Remote_User',
    'X-Auth-Request-Email',
    'Cf-Access-Jwt-Assertion',
    'X-MS-CLIENT-PRINCIPAL',
    'Mcp_Session_Id',
    'MCP.Session.ID',
  ])('not the %s of the caller (GWY-11)', async (name) => {
    const { handle, seen } = await proxiedScene();
    await handle(asked({ headers: { [name]: 'forged', 'x-own': 'kept' } }));
    expect(JSON.stringify(seen[0]?.rawHeaders)).not.toContain('forged');
    expect(seen[0]?.headers).toMatchObject({ 'x-own': 'kept', 'x-authchart-subject': 'alice' });
  });

  it('no headers of the connection, nor those that Connection names, but still who calls (GWY-11)', async () => {
    const { handle, seen } = await proxiedScene();
    // Only by name: `Request` would not take `Connection` in a browser, servers give it.
    await handle(
      asked({ headers: { connection: 'close, x-hop, X-Authchart-Subject', 'x-hop': '1', te: 'trailers', upgrade: 'websocket' } }),
    );
    expect(seen[0]?.headers).toMatchObject({ 'x-authchart-subject': 'alice', connection: 'keep-alive' });
    for (const name of ['x-hop', 'te', 'upgrade']) expect(seen[0]?.headers).not.toHaveProperty(name);
  });

  it('the exchanged token, if that is asked for, and never the caller’s (GWY-08, GWY-11)', async () => {
    const validator = {
      validate: async (token: string) => ({ token, subject: 'alice', scopes: [], claims: {} }),
      exchange: async () => ({ token: 'upstream-token' }),
    };
    const { handle, seen } = await proxiedScene(undefined, { backendToken: 'upstream' }, { validator });
    await handle(asked());
    expect(seen[0]?.headers.authorization).toBe('Bearer upstream-token');
  });

  it('nobody, for the fallback client (GWY-12)', async () => {
    const { handle, seen } = await proxiedScene(undefined, {}, { fallbackClient: { token: '' } });
    const response = await handle(new Request(PUBLIC, { headers: { 'x-authchart-subject': 'root' } }));
    expect(response.status).toBe(200);
    expect(Object.keys(seen[0]?.headers ?? {}).filter((name) => name.startsWith('x-authchart'))).toEqual([]);
  });
});

describe('what the caller is told', () => {
  it('nothing that is the gateway’s to say, or about the backend’s own address (GWY-11)', async () => {
    const { handle } = await proxiedScene((_request, response) => {
      response.writeHead(200, {
        'set-cookie': ['a=b', 'c=d'],
        'access-control-allow-origin': 'https://evil.example.com',
        'access-control-allow-credentials': 'true',
        'alt-svc': 'h3=":443"',
        'www-authenticate': 'Bearer resource_metadata="https://evil.example.com"',
        'cdn-cache-control': 'public',
        'x-accel-redirect': '/internal/secret',
        'x-accel-buffering': 'yes',
        'x-sendfile': '/etc/passwd',
        'x-lighttpd-send-file': '/etc/passwd',
        'x-litespeed-location': '/internal/secret',
        connection: 'keep-alive, x-hop',
        'x-hop': '1',
        'x-own': 'kept',
      });
      response.end('hello');
    });
    const { headers } = await handle(asked());
    expect(Object.fromEntries([...headers].filter(([name]) => !['date', 'keep-alive'].includes(name)))).toEqual({
      'cache-control': 'private',
      'x-own': 'kept',
    });
  });

  it('that a proxy in front must not hold its events back (GWY-01)', async () => {
    const { handle } = await proxiedScene((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' }).end();
    });
    expect((await handle(asked())).headers.get('x-accel-buffering')).toBe('no');
  });

  it.each([
    [undefined, 'private'],
    ['public, max-age=60', 'max-age=60, private'],
    ['s-maxage=60, must-revalidate', 'private'],
    ['no-store', 'no-store'],
    ['private="x", no-cache, no-transform', 'private="x", no-cache, no-transform, private'],
  ])('that Cache-Control %s is for this caller alone (GWY-11)', async (given, expected) => {
    const { handle } = await proxiedScene((_request, response) => {
      if (given !== undefined) response.setHeader('cache-control', given);
      response.end();
    });
    expect((await handle(asked())).headers.get('cache-control')).toBe(expected);
  });

  it('a body that its platform has decoded, without the length and coding it had (GWY-01)', async () => {
    const { handle, seen } = await proxiedScene((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello '.repeat(1000)));
    });
    const response = await handle(asked());
    expect(seen[0]?.headers['accept-encoding']).toBe('identity');
    expect([response.headers.get('content-encoding'), response.headers.get('content-length')]).toEqual([null, null]);
    expect(await response.text()).toBe('hello '.repeat(1000));
  });

  it('502 for a coding that nobody can be sure about (GWY-01)', async () => {
    const { handle, records } = await proxiedScene(
      (_request, response) => void response.writeHead(200, { 'content-encoding': 'odd' }).end('x'),
    );
    expect((await handle(asked())).status).toBe(502);
    expect(records).toMatchObject([{ code: 'backend_answer_unusable' }]);
  });

  it.each([204, 205, 304])('no length of a body with %i, after which none follows (GWY-01)', async (status) => {
    const { handle } = await proxiedScene(({ socket }) => void socket.end(`HTTP/1.1 ${status} X\r\ncontent-length: 5\r\n\r\nhello`));
    const response = await handle(asked());
    expect([response.status, response.headers.get('content-length'), response.body]).toEqual([status, null, null]);
  });

  it('the length that a HEAD asked for, and no body (GWY-01)', async () => {
    const { handle } = await proxiedScene((_request, response) => void response.writeHead(200, { 'content-length': '77' }).end());
    const response = await handle(asked({ method: 'HEAD' }));
    expect([response.status, response.headers.get('content-length'), response.body]).toEqual([200, '77', null]);
  });
});

describe('logins of the backend’s own', () => {
  it('401 without a token of ours is 502, since no login of the caller would help (GWY-13)', async () => {
    const { handle, records } = await proxiedScene((_request, response) => void response.writeHead(401).end());
    const response = await handle(asked());
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([502, null]);
    expect(records).toMatchObject([{ code: 'backend_wants_login', status: 401 }]);
  });

  it('407 is 502, whether the platform lets it through or not (GWY-13)', async () => {
    const real = await proxiedScene((_request, response) => void response.writeHead(407).end());
    const scripted = await proxiedScene(undefined, { fetch: async () => new Response(null, { status: 407 }) });
    expect([(await real.handle(asked())).status, (await scripted.handle(asked())).status]).toEqual([502, 502]);
  });

  it.each([
    ['GET', () => ({})],
    ['POST with a body that cannot be sent again', () => ({ method: 'POST', body: new Blob(['hello']).stream(), duplex: 'half' as const })],
  ])('401 for the upstream token of a %s is 401 with the gateway’s challenge (GWY-08, GWY-13)', async (_what, init) => {
    const { handle } = await proxiedScene(
      (request, response) =>
        void request.resume().on('end', () => response.writeHead(401, { 'www-authenticate': 'Bearer realm="inner"' }).end()),
      { backendToken: 'upstream' },
    );
    const response = await handle(asked(init()));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(response.headers.get('www-authenticate')).not.toContain('inner');
  });

  it('are never those of the platform: the backend is asked without (GWY-11)', async () => {
    const asking: unknown[] = [];
    const fetch = async (_input: unknown, init?: RequestInit): Promise<Response> => {
      asking.push(init?.credentials);
      return new Response('hello');
    };
    const { handle } = await proxiedScene(undefined, { fetch });
    await handle(asked());
    expect(asking).toEqual(['omit']);
  });

  it.each(['', 'token-of-the-environment'])(
    '401 for the fallback client is 502, whatever it has: nobody can log in for it (GWY-12) %#',
    async (token) => {
      const { handle, seen } = await proxiedScene(
        (_request, response) => void response.writeHead(401).end(),
        { backendToken: 'upstream' },
        { fallbackClient: { token } },
      );
      expect((await handle(new Request(PUBLIC))).status).toBe(502);
      expect(seen[0]?.headers.authorization).toBe(token === '' ? undefined : `Bearer ${token}`);
    },
  );

  it('403 for scopes names all that are needed in the gateway’s challenge (GWY-13)', async () => {
    const { handle } = await proxiedScene(
      (_request, response) =>
        void response.writeHead(403, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="write admin", realm="inner"' }).end(),
      {},
      { scopes: ['read'] },
    );
    const response = await handle(asked());
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toContain('scope="read write admin"');
    expect(response.headers.get('www-authenticate')).not.toContain('inner');
  });

  it('any other 403 is the backend’s (GWY-13)', async () => {
    const { handle } = await proxiedScene((_request, response) => void response.writeHead(403).end('not yours'));
    const response = await handle(asked());
    expect([response.status, await response.text()]).toEqual([403, 'not yours']);
  });
});
