import { describe, expect, it } from 'vitest';
import {
  authorizeUrl,
  codeForm,
  GATEWAY,
  type Json,
  post,
  REDIRECT_URI,
  refreshForm,
  register,
  registeredClient,
} from '../helpers/gateway-scene.ts';
import { callbackUrl, scriptedGateway } from '../helpers/scripted-gateway.ts';

const sent = (body: BodyInit, headers: Record<string, string> = { 'content-type': 'application/json' }): Request =>
  new Request(`${GATEWAY}/oauth/register`, { method: 'POST', body, headers, duplex: 'half' } as RequestInit);

describe('a registration', () => {
  it('gives every client an identifier of its own, and a secret only where it wants one (GWY-05)', async () => {
    const { gateway } = scriptedGateway();
    const first = await register(gateway);
    const second = await register(gateway, { token_endpoint_auth_method: undefined });
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      client_id: expect.stringMatching(/^\d+\.[\w-]{43}$/),
      client_id_issued_at: expect.any(Number),
      redirect_uris: [REDIRECT_URI],
      client_name: 'Agent',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    });
    expect(second.body['client_id']).not.toBe(first.body['client_id']);
    expect(second.body).toMatchObject({
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret: expect.stringMatching(/^[\w-]{43}$/),
    });
  });

  it.each(['', ' \n'])('without a body is told that something in front may have read it: %j (GWY-05)', async (body) => {
    const response = await scriptedGateway().gateway.fetch(sent(body));
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        error: 'invalid_client_metadata',
        error_description: 'The body is empty; what runs before the gateway, such as a JSON parser, may have read it.',
      },
    ]);
  });

  it.each<[string, Json, string]>([
    ['without redirect URIs', { redirect_uris: undefined }, 'invalid_client_metadata'],
    ['with an empty list of them', { redirect_uris: [] }, 'invalid_client_metadata'],
    ['with a number among them', { redirect_uris: [1] }, 'invalid_client_metadata'],
    [
      'with too many',
      { redirect_uris: Array.from({ length: 11 }, (_, index) => `https://client.example.com/${index}`) },
      'invalid_redirect_uri',
    ],
    ['with an unsafe one', { redirect_uris: [REDIRECT_URI, 'javascript:alert(1)'] }, 'invalid_redirect_uri'],
    ['for another grant', { grant_types: ['client_credentials'] }, 'invalid_client_metadata'],
    ['for the implicit flow', { response_types: ['token'] }, 'invalid_client_metadata'],
    ['with another way to prove itself', { token_endpoint_auth_method: 'tls_client_auth' }, 'invalid_client_metadata'],
    ['with a scope that is none', { scope: 'read "write"' }, 'invalid_client_metadata'],
  ])('%s is refused (GWY-05)', async (_, metadata, error) => {
    const { status, body } = await register(scriptedGateway().gateway, metadata);
    expect([status, body['error']]).toEqual([400, error]);
  });

  it.each([['{'], ['null'], ['[]'], ['"text"'], ['']])('of %j is refused (GWY-05)', async (text) => {
    const response = await scriptedGateway().gateway.fetch(sent(text));
    expect([response.status, ((await response.json()) as Json)['error']]).toEqual([400, 'invalid_client_metadata']);
  });

  it('of another media type is not read (GWY-05)', async () => {
    const response = await scriptedGateway().gateway.fetch(sent('{}', { 'content-type': 'text/plain' }));
    expect(response.status).toBe(415);
  });

  it('of 10 MB is not read to its end, whether it says so or not (GWY-05)', async () => {
    const { gateway } = scriptedGateway();
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(16 * 1024));
        if (pulled > 640) controller.close();
      },
    });
    expect((await gateway.fetch(sent(endless))).status).toBe(413);
    expect(pulled).toBeLessThan(10);
    const declared = sent('{}', { 'content-type': 'application/json', 'content-length': String(10 * 1024 * 1024) });
    expect((await gateway.fetch(declared)).status).toBe(413);
  });

  it('is refused beyond the number there may be, and has its place again when others have ended (GWY-05)', async () => {
    const { gateway, clock } = scriptedGateway({ limits: { registrations: 3, registrationSeconds: 60 } });
    const statuses: number[] = [];
    for (let count = 0; count < 40; count += 1) statuses.push((await register(gateway)).status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(3);
    expect(statuses.at(-1)).toBe(503);
    await clock.advance(60_000);
    expect((await register(gateway)).status).toBe(201);
  });

  it('takes the last place once, also on two replicas at the same instant (GWY-05)', async () => {
    const scene = scriptedGateway({ limits: { registrations: 1 } });
    const answers = await Promise.all([register(scene.gateway), register(scene.replica())]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 503]);
  });

  it('is bounded in rate, and says when to come again (GWY-05)', async () => {
    const { gateway, clock } = scriptedGateway({ limits: { registrationsPerMinute: 2 } });
    const statuses: number[] = [];
    for (let count = 0; count < 3; count += 1) statuses.push((await register(gateway)).status);
    expect(statuses).toEqual([201, 201, 429]);
    await clock.advance(60_000);
    expect((await register(gateway)).status).toBe(201);
  });

  it('lasts while its client is used, and is forgotten when it is not (GWY-05)', async () => {
    const scene = scriptedGateway({ limits: { registrationSeconds: 1_000 } });
    const unused = await registeredClient(scene.gateway);
    const { clientId, body } = await scene.tokens();
    await scene.clock.advance(900_000);
    const refreshed = await post(scene.gateway, 'token', refreshForm(clientId, body));
    expect(refreshed.status).toBe(200);
    await scene.clock.advance(200_000);
    const statusOf = async (client: string) => (await scene.gateway.fetch(new Request(authorizeUrl(client)))).status;
    expect([await statusOf(clientId), await statusOf(unused)]).toEqual([200, 400]);
  });
});

describe('a client with a secret', () => {
  const tokenStatus = async (
    authMethod: string,
    proof: (id: string, secret: string) => { form?: Record<string, string>; headers?: Record<string, string> },
  ) => {
    const scene = scriptedGateway();
    const { body } = await register(scene.gateway, { token_endpoint_auth_method: authMethod });
    const { form = {}, headers = {} } = proof(String(body['client_id']), String(body['client_secret']));
    const answer = await post(scene.gateway, 'token', { grant_type: 'refresh_token', refresh_token: 'x', ...form }, headers);
    return [answer.status, answer.body['error'], answer.response.headers.get('www-authenticate')?.split(' ')[0] ?? null];
  };
  const basic = (id: string, secret: string) => ({
    headers: { authorization: `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}` },
  });

  it.each<[string, Parameters<typeof tokenStatus>[1], unknown[]]>([
    ['in the header', basic, [400, 'invalid_grant', null]],
    ['in the body', (id, secret) => ({ form: { client_id: id, client_secret: secret } }), [400, 'invalid_grant', null]],
    ['nowhere', (id) => ({ form: { client_id: id } }), [401, 'invalid_client', null]],
    ['wrongly in the header', (id) => basic(id, 'wrong'), [401, 'invalid_client', 'Basic']],
    ['wrongly in the body', (id) => ({ form: { client_id: id, client_secret: 'wrong' } }), [401, 'invalid_client', null]],
    ['in both', (id, secret) => ({ ...basic(id, secret), form: { client_secret: secret } }), [400, 'invalid_request', null]],
    [
      'for another than the body names',
      (id, secret) => ({ ...basic(id, secret), form: { client_id: 'other' } }),
      [400, 'invalid_request', null],
    ],
    ['in a header that is none', () => ({ headers: { authorization: 'Basic !' } }), [401, 'invalid_client', 'Basic']],
    [
      'in a header that cannot be decoded',
      () => ({ headers: { authorization: `Basic ${btoa('%:%')}` } }),
      [401, 'invalid_client', 'Basic'],
    ],
    ['as a bearer token', () => ({ headers: { authorization: 'Bearer x' } }), [401, 'invalid_client', 'Basic']],
  ])('shows it %s (GWY-05)', async (_, proof, expected) => {
    for (const method of ['client_secret_basic', 'client_secret_post']) expect(await tokenStatus(method, proof)).toEqual(expected);
  });

  it('is needed to redeem its code (GWY-05, GWY-08)', async () => {
    const scene = scriptedGateway();
    const { body } = await register(scene.gateway, { token_endpoint_auth_method: 'client_secret_post' });
    const clientId = String(body['client_id']);
    const browser = scene.browser();
    const { url } = await browser.answer(await browser.open(authorizeUrl(clientId)), 'allow');
    const landing = await browser.open(callbackUrl(url));
    expect((await post(scene.gateway, 'token', codeForm(clientId, landing))).body['error']).toBe('invalid_client');
    const proven = { ...codeForm(clientId, landing), client_secret: String(body['client_secret']) };
    expect((await post(scene.gateway, 'token', proven)).status).toBe(200);
  });
});
