import { describe, expect, it } from 'vitest';
import type { ReverseProxyOptions } from '../../src/gateway/proxy/proxy-options.ts';
import type { TokenValidator } from '../../src/gateway/token-validator.ts';
import { asked, type ProxiedScene, PUBLIC, proxiedScene } from './proxied-scene.ts';

const KEY = crypto.getRandomValues(new Uint8Array(32));
const BACKEND_ID = '1868a90c-5b1e-4d3a-9f0c-0123456789ab';

/** `subject|client|issuer`, any of them empty. */
const validator: TokenValidator = {
  async validate(token) {
    const [subject = '', clientId = '', iss = ''] = atob(token).split('|');
    return { token, ...(subject && { subject }), ...(clientId && { clientId }), scopes: [], claims: iss === '' ? {} : { iss } };
  },
};

const scene = (options: Partial<ReverseProxyOptions> = {}, id = BACKEND_ID): Promise<ProxiedScene> =>
  proxiedScene(
    (_request, response) => void response.writeHead(200, { 'mcp-session-id': id }).end(),
    { sessionKey: KEY, ...options },
    { validator },
  );

const as = (who: string, session?: string): Request =>
  asked({ headers: { authorization: `Bearer ${btoa(who)}`, ...(session !== undefined && { 'mcp-session-id': session }) } });

const sessionOf = async ({ handle }: ProxiedScene, who: string): Promise<string> => {
  return (await handle(as(who))).headers.get('mcp-session-id') ?? '';
};

describe('MCP sessions', () => {
  it('work for their caller, in any replica with the same key, and keep their identifier (GWY-11)', async () => {
    const first = await scene();
    const session = await sessionOf(first, 'alice||https://idp');
    expect(session).toMatch(/^[\x21-\x7e]+$/);
    const second = await scene();
    const response = await second.handle(as('alice||https://idp', session));
    expect([response.status, response.headers.get('mcp-session-id')]).toEqual([200, session]);
    expect(second.seen[0]?.headers['mcp-session-id']).toBe(BACKEND_ID);
  });

  it.each(['bob||https://idp', 'alice||https://other', 'alice||', '|alice|https://idp', '|alice|', '||'])(
    'are unknown to %s (GWY-11)',
    async (other) => {
      const proxied = await scene();
      const session = await sessionOf(proxied, 'alice||https://idp');
      const response = await proxied.handle(as(other, session));
      expect([response.status, await response.json()]).toMatchObject([404, { error: 'not_found' }]);
      expect(proxied.seen).toHaveLength(1);
    },
  );

  it('are of the person and not of the client, and of the client where there is no person (GWY-11)', async () => {
    const proxied = await scene();
    const session = await sessionOf(proxied, 'alice|one|');
    expect((await proxied.handle(as('alice|two|', session))).status).toBe(200);
    const machine = await sessionOf(proxied, '|one|');
    expect((await proxied.handle(as('|one|', machine))).status).toBe(200);
    expect((await proxied.handle(as('|two|', machine))).status).toBe(404);
  });

  it('cannot be guessed or bent: an identifier of the backend, another one’s, a cut one, several (GWY-11)', async () => {
    const proxied = await scene();
    const session = await sessionOf(proxied, 'alice||');
    const forged = [
      BACKEND_ID,
      `.${BACKEND_ID}`,
      `${session}x`,
      session.slice(1),
      session.slice(0, 44),
      `${session}, ${session}`,
      `${session.slice(0, 44)}other`,
      '',
      'x'.repeat(10_000),
    ];
    const before = proxied.seen.length;
    for (const session of forged) expect((await proxied.handle(as('alice||', session))).status, session).toBe(404);
    expect(proxied.seen).toHaveLength(before);
  });

  it('end with their key (GWY-11)', async () => {
    const session = await sessionOf(await scene(), 'alice||');
    const other = await scene({ sessionKey: new Uint8Array(32).fill(1) });
    expect((await other.handle(as('alice||', session))).status).toBe(404);
  });

  it('are refused for callers who cannot be told apart, and with identifiers that are none (GWY-11)', async () => {
    expect((await (await scene()).handle(as('||'))).status).toBe(502);
    const long = await scene({}, 'x'.repeat(2_000));
    expect((await long.handle(as('alice||'))).status).toBe(502);
  });

  it('of the fallback client are no person’s, and those of persons are not its own (GWY-12)', async () => {
    const { handle } = await proxiedScene(
      (_request, response) => void response.writeHead(200, { 'mcp-session-id': BACKEND_ID }).end(),
      { sessionKey: KEY },
      { validator, fallbackClient: { token: '' } },
    );
    const anonymous = (session?: string): Request =>
      new Request(PUBLIC, session === undefined ? {} : { headers: { 'mcp-session-id': session } });
    const session = (await handle(anonymous())).headers.get('mcp-session-id') ?? '';
    expect((await handle(anonymous(session))).status).toBe(200);
    expect((await handle(as('alice||', session))).status).toBe(404);
    const own = (await handle(as('alice||'))).headers.get('mcp-session-id') ?? '';
    expect((await handle(anonymous(own))).status).toBe(404);
  });
});
