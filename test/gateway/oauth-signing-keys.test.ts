import { describe, expect, it } from 'vitest';
import { gatewayHandler } from '../../src/gateway/gateway-handler.ts';
import type { SigningKey } from '../../src/gateway/oauth/gateway-options.ts';
import { protect } from '../../src/gateway/protect.ts';
import { codeForm, GATEWAY, post, RESOURCE } from '../helpers/gateway-scene.ts';
import { scriptedGateway } from '../helpers/scripted-gateway.ts';
import { signingKey } from '../helpers/signing-key.ts';

const good = await signingKey('good');
const other = await signingKey('other');

describe('a gateway with a signing key', () => {
  it.each<readonly [title: string, broken: SigningKey]>([
    ['of another algorithm', { ...other, alg: 'RS256' }],
    ['whose private half is mangled', { ...other, d: `${other.d?.slice(0, 20)}` }],
    ['whose halves belong to two keys', { ...other, x: good.x ?? '', y: good.y ?? '' }],
  ])('%s refuses nobody for it, and says what is wrong at its first use (GWY-08, GWY-09)', async (_title, broken) => {
    const scene = scriptedGateway({ tokens: { signingKeys: [good] } });
    const { body } = await scene.tokens();
    const misconfigured = scriptedGateway({ tokens: { signingKeys: [good, broken] } });
    const { gateway, logged } = misconfigured;
    const logger = (record: object): void => void logged.push(record as (typeof logged)[number]);
    const handler = gatewayHandler({
      gateway,
      handler: protect({ resource: RESOURCE, validator: gateway.validator, handler: () => new Response('in'), logger }),
    });
    const called = await handler(new Request(RESOURCE, { headers: { authorization: `Bearer ${body['access_token']}` } }));
    expect(called.status).toBe(503);
    expect(called.headers.get('www-authenticate')).toBeNull();
    const reason =
      'The configuration is wrong. `tokens.signingKeys` has a signing key that cannot be used: number 2 is no private key of its `alg`.';
    expect(logged).toContainEqual(expect.objectContaining({ event: 'token-validator-unavailable', reason }));

    expect((await handler(new Request(`${GATEWAY}/oauth/jwks`))).status).toBe(503);
    const { clientId, landing } = await misconfigured.signedIn(misconfigured.browser());
    expect((await post(gateway, 'token', codeForm(clientId, landing))).status).toBe(503);
    const failed = logged.filter(({ event }) => event === 'gateway.request-failed');
    expect(failed).toEqual([
      expect.objectContaining({ level: 'error', code: 'invalid_configuration' }),
      expect.objectContaining({ level: 'error', code: 'invalid_configuration' }),
    ]);
    for (const secret of [broken.d, good.d]) expect(JSON.stringify(logged)).not.toContain(secret);
  });

  it.each(['ES256', 'ES384', 'ES512', 'PS256', 'RS256', 'EdDSA'])('of %s issues and takes its tokens (GWY-08)', async (alg) => {
    const scene = scriptedGateway({ tokens: { signingKeys: [await signingKey('one', alg)] } });
    const { clientId, body } = await scene.tokens();
    const { validator } = scene.gateway;
    const signal = new AbortController().signal;
    expect(await validator.validate(String(body['access_token']), { resource: RESOURCE, signal })).toMatchObject({ clientId });
  });
});
