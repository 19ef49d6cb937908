import { describe, expect, it } from 'vitest';
import { CALL, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, settled, untilStep, whileTimePasses } from '../helpers/waiting.ts';

/** `/mcp/<scope>` needs that scope, `/mcp/<a>+<b>` both, `/mcp` none. */
const BY_PATH: SceneOptions = {
  resource: { scopesFor: ({ url }) => url.pathname.split('/')[2]?.split('+').filter(Boolean) ?? [] },
};

async function stepUpScene(options: SceneOptions = {}) {
  const stage = scene({ ...BY_PATH, ...options });
  const call = async (scopes = ''): Promise<number> => (await stage.client.fetch(`${stage.servers.resource.url}/${scopes}`, CALL)).status;
  await call('read');
  return {
    ...stage,
    call,
    /** Scopes of every authorization request. */
    asked: () => stage.user.shown.map((url) => new URL(url).searchParams.get('scope')),
  };
}

describe('a step-up', () => {
  it('asks for the union of what was requested, granted and challenged, in stable order (SCO-04)', async () => {
    const stage = await stepUpScene({
      authorizationServer: { grantScopes: (asked) => [...asked.filter((scope) => scope !== 'b'), 'extra'] },
    });
    expect(await stage.call('a')).toBe(200);
    expect((await failureOfCall(stage.call('b+a'))).code).toBe('scope_not_granted');
    expect(stage.asked()).toEqual(['read', 'read extra a', 'read extra a b']);
    expect(stage.servers.violations).toEqual([]);
  });

  it('asks for the same union after a restart (SCO-04)', async () => {
    const stage = await stepUpScene();
    await stage.call('a');
    const restarted = stage.another();
    expect((await restarted.fetch(`${stage.servers.resource.url}/b`, CALL)).status).toBe(200);
    expect(stage.asked().at(-1)).toBe('read a b');
    expect(await stage.call('read+a+b')).toBe(200);
    expect(stage.user.shown).toHaveLength(3);
  });

  it('that a restart has interrupted ends in the same union (SCO-04)', async () => {
    let isPatient = false;
    const stage = await stepUpScene({ act: (on, url) => (isPatient ? undefined : on.approve(url)) });
    isPatient = true;
    stage.call('write').catch(() => {});
    const { authorizationUrl } = await untilStep(stage.client, 'awaiting-user');
    await settled();
    await stage.client.close();
    const restarted = stage.another();
    await restarted.completeAuthorization(await stage.servers.approve(authorizationUrl));
    expect((await restarted.fetch(`${stage.servers.resource.url}/read+write`, CALL)).status).toBe(200);
    expect(stage.user.shown).toHaveLength(2);
    expect(stage.servers.violations).toEqual([]);
  });

  it('shows who asks for what while the user decides (SCO-04)', async () => {
    const stage = await stepUpScene();
    const seen = new Set<unknown>();
    stage.client.subscribe(
      (status) => void (status.step === 'awaiting-user' && seen.add(JSON.stringify([status.requestedScopes, status.missingScopes]))),
    );
    await stage.call('write');
    expect(seen).toEqual(new Set([JSON.stringify([['read', 'write'], ['write']])]));
  });

  it('does not refresh: a refresh cannot bring more scopes (SCO-04)', async () => {
    const stage = await stepUpScene();
    const before = stage.servers.requestsFor('token').length;
    await stage.call('write');
    expect(
      stage.servers
        .requestsFor('token')
        .slice(before)
        .map(({ form }) => form.get('grant_type')),
    ).toEqual(['authorization_code']);
  });

  it('whose challenge names no scope asks for what the resource says it supports (SCO-04)', async () => {
    const stage = await stepUpScene({
      resource: {
        ...BY_PATH.resource,
        scopesSupported: ['read', 'write'],
        challenge: ({ error }) => `Bearer error="${error ?? ''}"`,
      },
    });
    expect(stage.asked()).toEqual(['read write']);
    stage.servers.resource.options.scopesSupported = ['read', 'write', 'admin'];
    expect(await stage.call('admin')).toBe(200);
    expect(stage.asked().at(-1)).toBe('read write admin');
  });
});

describe('the bounds of a step-up', () => {
  it('end it with what is missing when the grant still lacks the challenged scope (SCO-05)', async () => {
    const stage = await stepUpScene({ authorizationServer: { grantScopes: (asked) => asked.filter((scope) => scope !== 'admin') } });
    expect(await failureOfCall(stage.call('write+admin'))).toMatchObject({
      code: 'scope_not_granted',
      phase: 'step-up',
      details: { missingScopes: ['admin'], issuer: stage.servers.authorizationServer.issuer },
    });
    expect(stage.user.shown).toHaveLength(2);
    expect(await stage.call('read')).toBe(200);
    expect(await stage.call('write')).toBe(200);
    expect(stage.user.shown).toHaveLength(2);
  });

  it('end a request that is answered insufficient_scope for ever after one question to the user (SCO-05)', async () => {
    const stage = await stepUpScene();
    const challenge = { 'www-authenticate': 'Bearer error="insufficient_scope", scope="write"' };
    stage.servers.respond('resource', () => new Response(null, { status: 403, headers: challenge }), { times: Infinity });
    const failure = await failureOfCall(stage.call('x'));
    expect(failure).toMatchObject({ code: 'step_up_limit', action: 'report-to-server', details: { missingScopes: [] } });
    expect(stage.user.shown).toHaveLength(2);
    // Asking again at once is the same loop.
    expect((await failureOfCall(stage.call('x'))).code).toBe('step_up_limit');
    expect(stage.user.shown).toHaveLength(2);
  });

  it('hold for the operation and its scopes, and only for a while (SCO-05)', async () => {
    const stage = await stepUpScene();
    const insist = (scope: string) =>
      stage.servers.respond(
        ({ url }) => url.pathname === '/mcp/x',
        () => new Response(null, { status: 403, headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` } }),
        { times: Infinity },
      );
    const writing = insist('write');
    expect((await failureOfCall(stage.call('x'))).code).toBe('step_up_limit');
    expect(await stage.call('other')).toBe(200);
    expect(stage.user.shown).toHaveLength(3);
    writing.remove();
    insist('admin');
    expect((await failureOfCall(stage.call('x'))).code).toBe('step_up_limit');
    expect(stage.user.shown).toHaveLength(4);
    await stage.clock.advance(600_000);
    expect((await failureOfCall(stage.call('x'))).code).toBe('step_up_limit');
    expect(stage.user.shown).toHaveLength(5);
  });

  it('hold after a restart (SCO-05)', async () => {
    const stage = await stepUpScene();
    const challenge = { 'www-authenticate': 'Bearer error="insufficient_scope", scope="write"' };
    stage.servers.respond('resource', () => new Response(null, { status: 403, headers: challenge }), { times: Infinity });
    await failureOfCall(stage.call('x'));
    const restarted = stage.another();
    expect((await failureOfCall(restarted.fetch(`${stage.servers.resource.url}/x`, CALL))).code).toBe('step_up_limit');
    expect(stage.user.shown).toHaveLength(2);
  });

  it('end a request whose challenge names something new every time (SCO-05)', async () => {
    const stage = await stepUpScene();
    let wish = 0;
    stage.servers.respond(
      'resource',
      () =>
        new Response(null, { status: 403, headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="wish${++wish}"` } }),
      { times: Infinity },
    );
    expect((await failureOfCall(stage.call('x'))).code).toBe('step_up_limit');
    expect(stage.user.shown).toHaveLength(4);
  });
});

describe('the word of the embedder', () => {
  it('is asked for before the user is disturbed, and a refusal hands the 403 back (SCO-06)', async () => {
    const questions: unknown[] = [];
    const stage = await stepUpScene({
      client: {
        confirmStepUp: (question) => {
          questions.push(question);
          return false;
        },
      },
    });
    const response = await stage.client.fetch(`${stage.servers.resource.url}/write`, CALL);
    expect([response.status, await response.text()]).toEqual([403, 'not enough scopes']);
    expect(questions).toEqual([{ requested: ['read', 'write'], missing: ['write'] }]);
    expect(stage.user.shown).toHaveLength(1);
    expect(stage.client.status.step).toBe('authorized');
    expect(await stage.call('read')).toBe(200);
  });

  it('can be a promise, and lets the step-up go on (SCO-06)', async () => {
    const stage = await stepUpScene({ client: { confirmStepUp: async ({ missing }) => missing.includes('write') } });
    expect(await stage.call('write')).toBe(200);
    expect(await stage.call('admin')).toBe(403);
    expect(stage.user.shown).toHaveLength(2);
  });

  it('that throws ends the request with a coded error and keeps the token (SCO-06)', async () => {
    const stage = await stepUpScene({
      client: {
        confirmStepUp: () => {
          throw new Error('SECRET-of-the-embedder');
        },
      },
    });
    const failure = await failureOfCall(stage.call('write'));
    expect(failure).toMatchObject({ phase: 'step-up' });
    expect(JSON.stringify(failure)).not.toContain('SECRET');
    expect(await stage.call('read')).toBe(200);
    expect(stage.user.shown).toHaveLength(1);
  });

  it('that does not come does not hold up other requests, and can be cancelled (SCO-06, FET-07)', async () => {
    const stage = await stepUpScene({ client: { confirmStepUp: () => new Promise<boolean>(() => {}) } });
    const pending = failureOfCall(stage.call('write'));
    await settled();
    expect(await stage.call('read')).toBe(200);
    stage.client.cancel();
    expect((await pending).code).toBe('cancelled');
  });

  it('is not asked for where the user refuses: that is an error of its own, and the token stays (SCO-06)', async () => {
    let approvals = 1;
    const stage = await stepUpScene({ act: (on, url) => (approvals-- > 0 ? on.approve(url) : on.deny(url)) });
    expect((await failureOfCall(stage.call('write'))).code).toBe('authorization_denied');
    expect(await stage.call('read')).toBe(200);
    expect(stage.user.shown).toHaveLength(2);
  });
});

describe('explicit scopes', () => {
  it('are asked for beside those that are there already (SCO-04)', async () => {
    const stage = await stepUpScene();
    await stage.client.authorize({ scopes: ['write'] });
    expect(stage.asked().at(-1)).toBe('read write');
    expect(stage.client.status).toMatchObject({ grantedScopes: ['read', 'write'] });
    await stage.client.authorize({ scopes: ['write'] });
    expect(stage.user.shown).toHaveLength(2);
  });

  it('that were not granted are an error that names them (SCO-05)', async () => {
    const stage = await stepUpScene({ authorizationServer: { grantScopes: (asked) => asked.filter((scope) => scope !== 'admin') } });
    expect(await failureOfCall(stage.client.authorize({ scopes: ['read', 'admin'] }))).toMatchObject({
      code: 'scope_not_granted',
      details: { missingScopes: ['admin'] },
    });
    expect(await stage.call('read')).toBe(200);
  });

  it('are asked for after a flow that is under way for something else (SCO-04)', async () => {
    const stage = await stepUpScene();
    const [status] = await Promise.all([stage.client.authorize({ scopes: ['write'] }), stage.call('admin')]);
    expect(status).toMatchObject({ step: 'authorized' });
    expect(new Set(stage.asked().at(-1)?.split(' '))).toEqual(new Set(['read', 'write', 'admin']));
    await whileTimePasses(stage.clock, stage.client.authorize({ scopes: ['read', 'write', 'admin'] }));
    expect(stage.user.shown).toHaveLength(3);
  });
});
