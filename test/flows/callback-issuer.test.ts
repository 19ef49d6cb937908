import { describe, expect, it } from 'vitest';
import type { AuthorizationServerOptions, Document } from '../fixtures/scripted/options.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, untilStep } from '../helpers/waiting.ts';

const ISSUER = 'https://login.example.com';
const ATTACKER = 'https://attacker.example.com';

const call = ({ client, servers }: Scene): Promise<Response> => client.fetch(servers.resource.url, CALL);
const codesSent = ({ servers }: Scene): readonly string[] => servers.requestsFor('token').map(({ url }) => url.origin);

describe('the issuer of a callback', () => {
  it.each<[string, Partial<AuthorizationServerOptions>]>([
    ['advertised and the same', { issAdvertised: true, iss: true }],
    ['not advertised and the same', { issAdvertised: undefined, iss: true }],
    ['not advertised and absent', { issAdvertised: undefined, iss: false }],
    ['advertised as absent and absent', { issAdvertised: false, iss: false }],
  ])('lets the flow proceed if it is %s (ISS-08)', async (_what, options) => {
    const world = scene({ authorizationServer: options });
    expect((await call(world)).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });

  it.each<[string, Partial<AuthorizationServerOptions>, string]>([
    ['advertised and absent', { issAdvertised: true, iss: false }, 'callback_issuer_missing'],
    ['advertised and different', { issAdvertised: true, iss: ATTACKER }, 'callback_issuer_mismatch'],
    ['not advertised and different', { issAdvertised: undefined, iss: ATTACKER }, 'callback_issuer_mismatch'],
    ['different by a slash', { iss: `${ISSUER}/` }, 'callback_issuer_mismatch'],
    ['different by the case of its host', { iss: 'https://LOGIN.example.com' }, 'callback_issuer_mismatch'],
    ['different by the default port', { iss: `${ISSUER}:443` }, 'callback_issuer_mismatch'],
    ['empty', { iss: '' }, 'callback_issuer_mismatch'],
  ])('ends the flow before the code is sent if it is %s (ISS-08)', async (_what, options, code) => {
    const world = scene({ authorizationServer: options });
    expect(await failureOfCall(call(world))).toMatchObject({ code, phase: 'authorization', details: { expected: ISSUER } });
    expect(codesSent(world)).toEqual([]);
    expect(world.client.status.step).toBe('failed');
  });

  it('has to be there if the embedder wants it, though the server does not promise it (ISS-08)', async () => {
    const world = scene({ authorizationServer: { issAdvertised: undefined, iss: false }, client: { requireCallbackIssuer: true } });
    expect(await failureOfCall(call(world))).toMatchObject({ code: 'callback_issuer_missing', details: { expected: ISSUER } });
    expect(codesSent(world)).toEqual([]);
    world.servers.authorizationServer.options.iss = true;
    expect((await call(world)).status).toBe(200);
  });

  it('is checked before any text of an error is believed or shown (ISS-08)', async () => {
    const act = (servers: Scene['servers'], url: string) => servers.deny(url, { error: 'server_error', description: 'Call 0800-EVIL' });
    const world = scene({ authorizationServer: { iss: ATTACKER }, act });
    const failure = await failureOfCall(call(world));
    expect(failure).toMatchObject({ code: 'callback_issuer_mismatch' });
    expect(JSON.stringify([failure, world.client.status, world.user.outcomes])).not.toContain('EVIL');
    const missing = scene({ authorizationServer: { iss: false, issAdvertised: true }, act });
    expect(await failureOfCall(call(missing))).toMatchObject({ code: 'callback_issuer_missing' });
  });

  it('is compared with what was recorded before the user left, in a process that has never seen the server (ISS-08)', async () => {
    const world = scene({ act: () => undefined, authorizationServer: { iss: ATTACKER } });
    const pending = call(world);
    pending.catch(() => {});
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    const callback = await world.servers.approve(authorizationUrl);
    await world.client.close();
    const before = world.servers.requests.length;
    const another = world.another({ userAgent: undefined });
    expect(await failureOfCall(another.completeAuthorization(callback))).toMatchObject({ code: 'callback_issuer_mismatch' });
    expect(world.servers.requests.length).toBe(before);
  });
});

describe('an authorization server that changed while the user was away', () => {
  it('gets no code: the one that was asked does, though the resource names another by now (ISS-09)', async () => {
    const world = scene({
      act: () => undefined,
      resource: { authorizationServers: [ISSUER] },
      moreAuthorizationServers: [{ issuer: ATTACKER }],
    });
    const pending = call(world);
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    world.servers.resource.options.authorizationServers = [ATTACKER];
    await world.client.completeAuthorization(await world.servers.approve(authorizationUrl));
    expect((await pending).status).toBe(200);
    expect(codesSent(world)).toEqual([ISSUER]);
    expect(world.servers.violations).toEqual([]);
  });

  it('ends the flow without sending the code anywhere, if the record names another than the attempt was made for (ISS-09)', async () => {
    const world = scene({ act: () => undefined, moreAuthorizationServers: [{ issuer: ATTACKER }] });
    world.servers.resource.options.authorizationServers = [ISSUER];
    const pending = call(world);
    pending.catch(() => {});
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    const callback = await world.servers.approve(authorizationUrl);
    await world.client.close();
    // Another process has rediscovered meanwhile: the flow's record holds the new server beside the old attempt.
    const key = `flow/default/${encodeURIComponent(world.servers.resource.url)}`;
    const record = await world.store.read(key);
    const changed = JSON.parse(
      JSON.stringify(record?.value).replace(`"authorizationServer":{"issuer":"${ISSUER}"`, `"authorizationServer":{"issuer":"${ATTACKER}"`),
    );
    expect(changed).not.toEqual(record?.value);
    await world.store.write(key, changed);
    const another = world.another();
    expect(await failureOfCall(another.completeAuthorization(callback))).toMatchObject({
      code: 'issuer_changed',
      action: 'authorize-again',
      details: { expected: ISSUER, received: ATTACKER },
    });
    expect(codesSent(world)).toEqual([]);
  });

  it('leaves no way for the page of the old server once a new flow has begun at the new one (ISS-09)', async () => {
    const world = scene({
      act: () => undefined,
      resource: { authorizationServers: [ISSUER] },
      moreAuthorizationServers: [{ issuer: ATTACKER }],
    });
    const first = call(world);
    const old = await untilStep(world.client, 'awaiting-user');
    world.client.cancel();
    expect(await failureOfCall(first)).toMatchObject({ code: 'cancelled' });
    world.servers.resource.options.authorizationServers = [ATTACKER];
    const second = call(world);
    await untilStep(world.client, 'awaiting-user');
    const late = await world.servers.approve(old.authorizationUrl);
    expect(await failureOfCall(world.client.completeAuthorization(late))).toMatchObject({ code: 'callback_not_expected' });
    expect(codesSent(world)).toEqual([]);
    world.client.cancel();
    expect(await failureOfCall(second)).toMatchObject({ code: 'cancelled' });
  });
});

describe('a mix-up attack', () => {
  // The attacker's server sends the user on to the honest one, in the hope of being sent its code.
  const mixUp = (document: Document): Document => ({ ...document, authorization_endpoint: `${ISSUER}/authorize` });

  function attacked(honest: Partial<AuthorizationServerOptions>): Scene {
    const known = { client_id: 'client-1-of-attacker.example.com' };
    return scene({
      resource: { authorizationServers: [ATTACKER] },
      authorizationServer: { clients: [known], ...honest },
      moreAuthorizationServers: [{ issuer: ATTACKER, metadata: mixUp }],
    });
  }

  it('does not get the code of the honest server, whose callback names itself (ISS-08, ISS-09)', async () => {
    const world = attacked({});
    expect(await failureOfCall(call(world))).toMatchObject({
      code: 'callback_issuer_mismatch',
      details: { expected: ATTACKER, received: ISSUER },
      action: 'report-to-server',
    });
    expect(world.servers.requests.filter(({ purpose }) => purpose === 'authorization').map(({ url }) => url.origin)).toEqual([ISSUER]);
    expect(codesSent(world)).toEqual([]);
  });

  it('does not get it either where the user was asked by the honest server first (ISS-08)', async () => {
    const world = scene({
      act: () => undefined,
      resource: { authorizationServers: [ISSUER, ATTACKER] },
      moreAuthorizationServers: [{ issuer: ATTACKER }],
    });
    const pending = call(world);
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    // The attacker, second in the list, answers in place of the server that was asked.
    const forged = new URL(await world.servers.approve(authorizationUrl));
    forged.searchParams.set('iss', ATTACKER);
    forged.searchParams.set('code', 'code-of-the-attacker');
    expect(await failureOfCall(world.client.completeAuthorization(forged))).toMatchObject({ code: 'callback_issuer_mismatch' });
    expect(await failureOfCall(pending)).toMatchObject({ code: 'callback_issuer_mismatch' });
    expect(codesSent(world)).toEqual([]);
  });
});
