import { decodeJwt, type JWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { isTokenRejected, isValidatorUnavailable } from '../../src/gateway/token-validator.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { backendToken, codeForm, post, refreshForm, registeredClient } from '../helpers/gateway-scene.ts';
import { scriptedGateway } from '../helpers/scripted-gateway.ts';
import { signingKey } from '../helpers/signing-key.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

describe('a refresh token', () => {
  it('is replaced by every use; an old one ends the grant (GWY-08)', async () => {
    const scene = scriptedGateway();
    const { clientId, body } = await scene.tokens();
    const second = await post(scene.gateway, 'token', refreshForm(clientId, body));
    const third = await post(scene.replica(), 'token', refreshForm(clientId, second.body));
    expect(third.status).toBe(200);
    // Two generations old: nobody retries that.
    const stolen = await post(scene.gateway, 'token', refreshForm(clientId, body));
    expect([stolen.status, stolen.body['error']]).toEqual([400, 'invalid_grant']);
    expect((await post(scene.gateway, 'token', refreshForm(clientId, third.body))).body['error']).toBe('invalid_grant');
    await expect(backendToken(scene.gateway, third.body['access_token'])).rejects.toSatisfy(isTokenRejected);
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
  });

  it('may be retried for a short while: the answer may have been lost (GWY-08)', async () => {
    const scene = scriptedGateway();
    const { clientId, body } = await scene.tokens();
    await post(scene.gateway, 'token', refreshForm(clientId, body));
    await scene.clock.advance(29_000);
    const retried = await post(scene.replica(), 'token', refreshForm(clientId, body));
    expect(retried.status).toBe(200);
    expect((await post(scene.gateway, 'token', refreshForm(clientId, retried.body))).status).toBe(200);
  });

  it('that is retried too late ends the grant (GWY-08)', async () => {
    const scene = scriptedGateway();
    const { clientId, body } = await scene.tokens();
    const second = await post(scene.gateway, 'token', refreshForm(clientId, body));
    await scene.clock.advance(30_000);
    expect((await post(scene.gateway, 'token', refreshForm(clientId, body))).body['error']).toBe('invalid_grant');
    expect((await post(scene.gateway, 'token', refreshForm(clientId, second.body))).body['error']).toBe('invalid_grant');
  });

  it('may be retried on a replica whose clock is a little behind, and no longer where a clock was set back (GWY-08)', async () => {
    const scene = scriptedGateway();
    const { clientId, body } = await scene.tokens();
    await post(scene.gateway, 'token', refreshForm(clientId, body));
    await scene.clock.advance(1_000);
    scene.clock.setBy(-6_000);
    expect((await post(scene.gateway, 'token', refreshForm(clientId, body))).status).toBe(200);
    scene.clock.setBy(-1);
    expect((await post(scene.gateway, 'token', refreshForm(clientId, body))).body['error']).toBe('invalid_grant');
    expect(scene.logged.map(({ event }) => event)).toContain('gateway.refresh-token-reused');
  });

  it('sent by several of a client at once gives each of them a pair that works (GWY-08)', async () => {
    const scene = scriptedGateway();
    const { clientId, body } = await scene.tokens();
    const gateways = [scene.gateway, scene.replica(), scene.gateway, scene.replica()];
    const answers = await Promise.all(gateways.map((gateway) => post(gateway, 'token', refreshForm(clientId, body))));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    for (const answer of answers) expect((await post(scene.gateway, 'token', refreshForm(clientId, answer.body))).status).toBe(200);
  });

  it('narrows the scope and never widens it, and is of one client (GWY-08)', async () => {
    const scene = scriptedGateway();
    const { clientId, body } = await scene.tokens();
    expect((await post(scene.gateway, 'token', { ...refreshForm(clientId, body), scope: 'read write' })).body['error']).toBe(
      'invalid_scope',
    );
    const other = await registeredClient(scene.gateway);
    expect((await post(scene.gateway, 'token', refreshForm(other, body))).body['error']).toBe('invalid_grant');
    for (const made of ['', 'x', 'a.b.c.d.e', String(body['access_token'])]) {
      expect((await post(scene.gateway, 'token', { ...refreshForm(clientId, body), refresh_token: made })).body['error']).toBe(
        'invalid_grant',
      );
    }
    expect((await post(scene.gateway, 'token', { ...refreshForm(clientId, body), scope: 'read' })).status).toBe(200);
  });
});

describe('upstream tokens', () => {
  it('are refreshed here, once for all that need them at the same instant (GWY-08)', async () => {
    const scene = scriptedGateway();
    const { body } = await scene.tokens();
    await scene.clock.advance(592_000);
    const gateways = [scene.gateway, scene.replica(), scene.gateway, scene.replica()];
    const asked = Promise.all(gateways.map((gateway) => backendToken(gateway, body['access_token'])));
    let isOver = false;
    void asked.finally(() => {
      isOver = true;
    });
    // However busy the machine is: sealing takes real time, and no simulated one.
    while (!isOver) await scene.clock.advance(20);
    expect(await asked).toEqual(['upstream-access-2', 'upstream-access-2', 'upstream-access-2', 'upstream-access-2']);
    const [, ...refreshes] = scene.provider.tokenRequests;
    expect(refreshes.map((form) => form.get('refresh_token'))).toEqual(['upstream-refresh-1']);
  });

  it('serve others while one of them is renewed, however long that takes (GWY-08)', async () => {
    const scene = scriptedGateway();
    const { body } = await scene.tokens();
    await scene.clock.advance(575_000);
    let answer = (_response: Response): void => {};
    scene.provider.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const renewing = backendToken(scene.gateway, body['access_token']);
    await expect.poll(() => scene.provider.tokenRequests.length).toBe(2);
    // Whoever renews it may also be dead: nothing tells the two apart before its lease ends.
    for (const replica of [scene.replica(), scene.gateway])
      expect(await backendToken(replica, body['access_token'])).toBe('upstream-access-1');
    answer(Response.json({ access_token: 'renewed', token_type: 'Bearer', expires_in: 600, refresh_token: 'next' }));
    expect(await renewing).toBe('renewed');
    expect(await backendToken(scene.replica(), body['access_token'])).toBe('renewed');
    expect(scene.provider.tokenRequests).toHaveLength(2);
  });

  it('serve until they end where the identity provider has a bad moment, and then it is an outage (GWY-08, GWY-09)', async () => {
    const scene = scriptedGateway();
    const { body } = await scene.tokens();
    scene.provider.isDown = true;
    await scene.clock.advance(590_000);
    expect(await backendToken(scene.gateway, body['access_token'])).toBe('upstream-access-1');
    await scene.clock.advance(20_000);
    await expect(backendToken(scene.gateway, body['access_token'])).rejects.toSatisfy(isValidatorUnavailable);
    scene.provider.isDown = false;
    expect(await backendToken(scene.gateway, body['access_token'])).toBe('upstream-access-2');
  });

  it('that cannot be renewed any more end the grant (GWY-08)', async () => {
    const scene = scriptedGateway();
    const { clientId, body } = await scene.tokens();
    scene.provider.answer = () => Response.json({ error: 'invalid_grant' }, { status: 400 });
    await scene.clock.advance(600_000);
    await expect(backendToken(scene.gateway, body['access_token'])).rejects.toSatisfy(isTokenRejected);
    expect((await post(scene.gateway, 'token', refreshForm(clientId, body))).body['error']).toBe('invalid_grant');
  });

  it('without a refresh token bound the life of the tokens here (GWY-08)', async () => {
    const scene = scriptedGateway();
    scene.provider.answer = () => Response.json({ access_token: 'short', token_type: 'Bearer', expires_in: 120 });
    const { body } = await scene.tokens();
    expect(body).toMatchObject({ expires_in: 120 });
    expect(body).not.toHaveProperty('refresh_token');
    await scene.clock.advance(119_000);
    expect(await backendToken(scene.gateway, body['access_token'])).toBe('short');
    await scene.clock.advance(1_000);
    await expect(backendToken(scene.gateway, body['access_token'])).rejects.toSatisfy(isTokenRejected);
  });

  it('never reach the client, the store or the log (GWY-08)', async () => {
    const records = new Map<string, string>();
    const inner = memoryStore({ clock: simulatedClock() });
    const store = {
      ...inner,
      write: (key: string, value: never, options: never) => {
        records.set(key, JSON.stringify(value));
        return inner.write(key, value, options);
      },
    };
    const scene = scriptedGateway({ store });
    const { clientId, landing } = await scene.signedIn(scene.browser());
    const { body } = await post(scene.gateway, 'token', codeForm(clientId, landing));
    const secrets = ['upstream-access', 'upstream-refresh', 'upstream-code', 'the secret upstream', 'the state of the client'];
    secrets.push(landing.url.searchParams.get('code') ?? '', String(body['access_token']), String(body['refresh_token']));
    const kept = [...records].flat().join('\n');
    expect(records.size).toBeGreaterThan(3);
    for (const secret of secrets) expect(`${kept}${JSON.stringify(scene.logged)}`).not.toContain(secret);
    expect(JSON.stringify(body)).not.toContain('upstream');
  });
});

describe('revocation', () => {
  it.each(['access_token', 'refresh_token'])('by the %s reaches upstream, and needs the client it was issued to (GWY-08)', async (kind) => {
    const scene = scriptedGateway();
    const { clientId, body } = await scene.tokens();
    const other = await registeredClient(scene.gateway);
    const foreign = await post(scene.gateway, 'revoke', { client_id: other, token: String(body[kind]) });
    expect(foreign.body['error']).toBe('unauthorized_client');
    expect((await post(scene.gateway, 'revoke', { client_id: clientId, token: 'nonsense' })).status).toBe(200);
    expect(scene.provider.revoked).toEqual([]);
    expect((await post(scene.replica(), 'revoke', { client_id: clientId, token: String(body[kind]) })).status).toBe(200);
    expect(scene.provider.revoked).toEqual(['upstream-refresh-1', 'upstream-access-1']);
    await expect(backendToken(scene.gateway, body['access_token'])).rejects.toSatisfy(isTokenRejected);
  });
});

describe('an access token', () => {
  const none = btoa(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).replaceAll('=', '');

  it.each(['jwt', 'opaque'] as const)(
    '%s is refused after its time, for another resource, and where one character differs (GWY-08)',
    async (format) => {
      const scene = scriptedGateway({ tokens: { format }, store: undefined as never, sealingKeys: undefined as never });
      const { body } = await scene.tokens();
      const token = String(body['access_token']);
      expect(await backendToken(scene.gateway, token)).toBe('upstream-access-1');
      const context = { resource: 'https://other.example.com/mcp', signal: new AbortController().signal };
      await expect(scene.gateway.validator.validate(token, context)).rejects.toSatisfy(isTokenRejected);
      const at = token.length - 12;
      const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
      for (const wrong of [changed, '', 'x', 'x'.repeat(100_000), String(body['refresh_token'])]) {
        await expect(backendToken(scene.gateway, wrong), wrong.slice(0, 20)).rejects.toSatisfy(isTokenRejected);
      }
      await scene.clock.advance(900_000);
      await expect(backendToken(scene.gateway, token)).rejects.toSatisfy(isTokenRejected);
    },
  );

  it('that somebody else signed for another purpose with the same key is refused (GWY-08)', async () => {
    const key = await signingKey('one');
    const scene = scriptedGateway({ tokens: { format: 'jwt', signingKeys: [key] } });
    const { body } = await scene.tokens();
    expect(await backendToken(scene.replica(), body['access_token'])).toBe('upstream-access-1');
    const claims = decodeJwt(String(body['access_token']));
    const signed = (changes: object, header: object): Promise<string> =>
      new SignJWT({ ...claims, ...changes }).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'one', ...header }).sign(key as JWK);
    expect(await backendToken(scene.gateway, await signed({}, {}))).toBe('upstream-access-1');
    const wrong = [
      signed({}, { typ: 'JWT' }),
      signed({}, { typ: undefined }),
      signed({}, { kid: 'two' }),
      signed({ iss: 'https://x.example' }, {}),
    ];
    for (const token of await Promise.all([...wrong, signed({ aud: 'https://x.example' }, {}), signed({ exp: undefined }, {})])) {
      await expect(backendToken(scene.gateway, token)).rejects.toSatisfy(isTokenRejected);
    }
  });

  it('without a signature, or signed with a public key as a secret, is refused (GWY-08, GWY-10)', async () => {
    const scene = scriptedGateway({ tokens: { format: 'jwt' }, store: undefined as never, sealingKeys: undefined as never });
    const { body } = await scene.tokens();
    const [, payload = ''] = String(body['access_token']).split('.');
    const keys = await (await scene.gateway.fetch(new Request('https://gateway.example.com/oauth/jwks'))).text();
    const claims = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as Record<string, string>;
    const symmetric = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'process' })
      .sign(new TextEncoder().encode(keys));
    for (const forged of [`${none}.${payload}.`, symmetric]) {
      await expect(backendToken(scene.gateway, forged)).rejects.toSatisfy(isTokenRejected);
    }
  });
});
