import { describe, expect, it } from 'vitest';
import { callBackend, chosenBy, replicas, sealingKey } from '../helpers/gateway-replicas.ts';
import { codeForm, type GatewayEntry, type Json, post, refreshForm, register, registeredClient, signIn } from '../helpers/gateway-scene.ts';
import { signingKey } from '../helpers/signing-key.ts';
import { inPostgres, inRedis } from '../helpers/store-places.ts';

const STORES = [['Redis', inRedis()] as const, ['PostgreSQL', inPostgres()] as const];
const WITH_PROCESSES = { timeout: 60_000 };
const ROUNDS = 25;

describe.each(STORES)('two replicas over %s', WITH_PROCESSES, (_, inStore) => {
  it('serve one sign-in by turns, from registration to revocation, which ends it at both (GWY-03, GWY-04, GWY-08)', async (context) => {
    const scene = await replicas(context, inStore);
    const [a, b] = await Promise.all([scene.start(), scene.start()]);
    const { body: client } = await register(b, { token_endpoint_auth_method: 'client_secret_post' });
    const clientId = String(client['client_id']);
    const secret = { client_secret: String(client['client_secret']) };
    const browser = scene.browser(chosenBy((pathname) => (pathname === '/oauth/consent' ? b : a)));
    const landing = await signIn(browser, clientId);
    const tokens = await post(b, 'token', { ...codeForm(clientId, landing), ...secret });
    expect(tokens.body).toMatchObject({ token_type: 'Bearer', scope: 'read' });
    const refreshed = await post(a, 'token', { ...refreshForm(clientId, tokens.body), ...secret });
    expect(refreshed.status).toBe(200);
    for (const replica of [a, b]) {
      const known = { status: 200, body: { subject: 'demo', clientId, upstreamToken: expect.stringMatching(/^ey/) } };
      expect(await callBackend(replica, tokens.body['access_token'])).toEqual(known);
      expect(await callBackend(replica, refreshed.body['access_token'])).toEqual(known);
    }
    const form = { client_id: clientId, ...secret, token: String(refreshed.body['refresh_token']) };
    expect((await post(b, 'revoke', form)).status).toBe(200);
    for (const replica of [a, b]) {
      expect((await callBackend(replica, refreshed.body['access_token'])).status).toBe(401);
      expect((await post(replica, 'token', { ...refreshForm(clientId, refreshed.body), ...secret })).body['error']).toBe('invalid_grant');
    }
  });

  it('redeem a code that comes to both at once for one of them at most, and end its grant (GWY-04, GWY-08)', async (context) => {
    const scene = await replicas(context, inStore);
    const [a, b] = await Promise.all([scene.start(), scene.start()]);
    const clientId = await registeredClient(a);
    const browser = scene.browser(chosenBy(() => a));
    for (let round = 0; round < ROUNDS; round += 1) {
      const form = codeForm(clientId, await signIn(browser, clientId));
      const answers = await Promise.all([a, b].map((replica) => post(replica, 'token', form)));
      const redeemed = answers.filter(({ status }) => status === 200);
      const refused = answers.filter(({ body }) => body['error'] === 'invalid_grant');
      expect([redeemed.length <= 1, redeemed.length + refused.length]).toEqual([true, 2]);
      for (const { body } of redeemed) await expectEnded(body, clientId, a, b);
      // Whatever became of the two, the code is of no more use.
      expect((await post(b, 'token', form)).body['error']).toBe('invalid_grant');
    }
  });

  it('give one client that refreshes at both at once one new generation, and find an older one out (GWY-08)', async (context) => {
    const scene = await replicas(context, inStore);
    const [a, b] = await Promise.all([scene.start(), scene.start()]);
    const clientId = await registeredClient(a);
    const first = (await post(b, 'token', codeForm(clientId, await signIn(scene.browser(a), clientId)))).body;
    let current = first;
    for (let round = 0; round < ROUNDS; round += 1) {
      const answers = await Promise.all([a, b].map((replica) => post(replica, 'token', refreshForm(clientId, current))));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      const [one, other] = answers.map(({ body }) => body) as [Json, Json];
      expect((await callBackend(b, one['access_token'])).status).toBe(200);
      expect((await callBackend(a, other['access_token'])).status).toBe(200);
      current = round % 2 === 0 ? one : other;
    }
    expect((await post(b, 'token', refreshForm(clientId, first))).body['error']).toBe('invalid_grant');
    await expectEnded(current, clientId, a, b);
  });

  it('go from old keys to new ones one after the other, and nobody notices; then the old ones open nothing (GWY-08)', async (context) => {
    const scene = await replicas(context, inStore);
    const [oldSealing, newSealing] = [sealingKey(), sealingKey()];
    const [oldSigning, newSigning] = await Promise.all([signingKey('old'), signingKey('new')]);
    const both = { old: oldSealing, new: newSealing };
    const before = await scene.start({ sealing: { keys: both, current: 'old' }, signingKeys: [oldSigning, newSigning] });
    const after = await scene.start({ sealing: { keys: both, current: 'new' }, signingKeys: [newSigning, oldSigning] });
    const clientId = await registeredClient(before);

    const byTurns = scene.browser(chosenBy((pathname) => (pathname === '/oauth/callback' ? after : before)));
    const tokensOf = async (replica: GatewayEntry): Promise<Json> =>
      (await post(replica, 'token', codeForm(clientId, await signIn(byTurns, clientId)))).body;
    const [kept, renewed] = [await tokensOf(before), await tokensOf(before)];
    const fresh = await tokensOf(after);
    for (const tokens of [kept, renewed, fresh])
      for (const replica of [before, after]) expect((await callBackend(replica, tokens['access_token'])).status).toBe(200);
    const newest = (await post(after, 'token', refreshForm(clientId, renewed))).body;
    expect((await post(before, 'token', refreshForm(clientId, newest))).status).toBe(200);

    const alone = await scene.start({ sealing: { keys: { new: newSealing }, current: 'new' }, signingKeys: [newSigning] });
    expect((await callBackend(alone, kept['access_token'])).status).toBe(401);
    expect((await post(alone, 'token', refreshForm(clientId, kept))).body['error']).toBe('invalid_grant');
    expect((await callBackend(alone, fresh['access_token'])).status).toBe(200);
    expect((await post(alone, 'token', refreshForm(clientId, fresh))).status).toBe(200);
  });
});

/** Neither token of it is good at any replica. */
async function expectEnded(tokens: Json, clientId: string, ...all: readonly GatewayEntry[]): Promise<void> {
  for (const replica of all) {
    expect((await callBackend(replica, tokens['access_token'])).status).toBe(401);
    expect((await post(replica, 'token', refreshForm(clientId, tokens))).body['error']).toBe('invalid_grant');
  }
}
