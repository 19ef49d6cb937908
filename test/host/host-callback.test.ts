import { describe, expect, it } from 'vitest';
import { browserRequest, type HostedScene, hostedScene, urlToApprove } from '../helpers/hosted-scene.ts';
import { CALL } from '../helpers/scripted-client.ts';
import { failureOfCall } from '../helpers/waiting.ts';

const codesSent = ({ servers }: HostedScene): number => servers.requestsFor('token').filter(({ form }) => form.has('code')).length;
const call = ({ servers, host }: HostedScene, account: string): Promise<Response> =>
  host.client({ resource: servers.resource.url, account }).fetch(servers.resource.url, CALL);

describe('a callback', () => {
  it('completes the login that another worker began and that has ended since (RES-06, AUT-08)', async () => {
    const world = hostedScene();
    const url = await urlToApprove(world.host, 'ann', world);
    await world.host.close();
    const other = world.worker();
    const answer = await other.handleCallback(await world.approve(url, 'ann'));
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('Example now has the access that you granted.');
    const response = await other.client({ resource: world.servers.resource.url, account: 'ann' }).fetch(world.servers.resource.url, CALL);
    expect(response.status).toBe(200);
    expect(world.servers.requestsFor('registration')).toHaveLength(1);
    expect(codesSent(world)).toBe(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('answers the request that waits for it in the same worker, and is answered when the login is complete (RES-06)', async () => {
    const world = hostedScene();
    const pending = call(world, 'ann');
    const url = await urlToApprove(world.host, 'ann', world);
    const answer = await world.host.handleCallback(await world.approve(url, 'ann'));
    expect(answer.status).toBe(200);
    expect(world.host.client({ resource: world.servers.resource.url, account: 'ann' }).status.step).toBe('authorized');
    expect((await pending).status).toBe(200);
  });

  it('is taken by its query alone: a proxy knows the public address better than the worker (RES-06)', async () => {
    const world = hostedScene();
    const { search } = new URL(await world.servers.approve(await urlToApprove(world.host, 'ann', world)));
    const answer = await world.host.handleCallback(browserRequest(`http://10.0.0.7:3000/behind/a/proxy${search}`, 'ann'));
    expect(answer.status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });

  it('that comes twice at once is one callback with two pages (AUT-05)', async () => {
    const world = hostedScene();
    const request = await world.approve(await urlToApprove(world.host, 'ann', world), 'ann');
    const answers = await Promise.all([world.host.handleCallback(request.clone()), world.host.handleCallback(request.clone())]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(codesSent(world)).toBe(1);
    expect((await world.host.handleCallback(request)).status).toBe(400);
    expect(codesSent(world)).toBe(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('that comes to two workers at once sends its code once, and both say so (AUT-05, AUT-09)', async () => {
    const world = hostedScene();
    const request = await world.approve(await urlToApprove(world.host, 'ann', world), 'ann');
    await world.host.close();
    const workers = [world.worker(), world.worker()];
    const answers = await Promise.all(workers.map((worker) => worker.handleCallback(request.clone())));
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    expect(codesSent(world)).toBe(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('whose code the server rejects leads the browser on to the page of the next attempt (AUT-09)', async () => {
    const world = hostedScene();
    world.servers.respond('token', () => Response.json({ error: 'invalid_grant' }, { status: 400 }));
    const first = await urlToApprove(world.host, 'ann', world);
    const answer = await world.host.handleCallback(await world.approve(first, 'ann'));
    expect(answer.status).toBe(303);
    const next = answer.headers.get('location') ?? '';
    expect(new URL(next).searchParams.get('state')).not.toBe(new URL(first).searchParams.get('state'));
    expect((await world.host.handleCallback(await world.approve(next, 'ann'))).status).toBe(200);
    expect((await call(world, 'ann')).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });

  it('in which the user refuses ends the login, with a page that says so (AUT-06)', async () => {
    const world = hostedScene();
    const pending = failureOfCall(call(world, 'ann'));
    const url = await urlToApprove(world.host, 'ann', world);
    const answer = await world.host.handleCallback(browserRequest(await world.servers.deny(url), 'ann'));
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('Access was not granted');
    expect((await pending).code).toBe('authorization_denied');
  });

  it('of another issuer is refused as a mix-up (ISS-08)', async () => {
    const world = hostedScene({ authorizationServer: { iss: 'https://evil.example' } });
    const answer = await world.host.handleCallback(await world.approve(await urlToApprove(world.host, 'ann', world), 'ann'));
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('callback_issuer_mismatch');
    expect(codesSent(world)).toBe(0);
  });
});

describe('a request that is no callback', () => {
  it.each([
    ['nothing', '', 400, 'Nothing has arrived yet'],
    ['an unknown state', '?code=c&state=unknown', 400, 'callback_not_expected'],
    ['no state', '?code=c', 400, 'callback_not_expected'],
    ['its state twice', '?code=c&state=one&state=two', 400, 'callback_invalid'],
    ['tokens nobody asked for', '?access_token=t&state=s', 400, 'callback_invalid'],
    ['far too much', `?code=c&state=${'s'.repeat(20_000)}`, 400, 'callback_invalid'],
  ])('is told so and changes nothing: %s (AUT-05, SEC-04)', async (_name, query, status, text) => {
    const world = hostedScene();
    const url = await urlToApprove(world.host, 'ann', world);
    const answer = await world.host.handleCallback(browserRequest(`https://app.example.com/callback${query}`, 'ann'));
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(text);
    expect(await urlToApprove(world.host, 'ann', world)).toBe(url);
    expect(codesSent(world)).toBe(0);
  });

  it('is refused if it is no GET (SEC-04)', async () => {
    const world = hostedScene();
    const { url } = await world.approve(await urlToApprove(world.host, 'ann', world), 'ann');
    const answer = await world.host.handleCallback(browserRequest(url, 'ann', { method: 'POST', body: 'x' }));
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
    expect(codesSent(world)).toBe(0);
  });
});

describe('the answer to a callback', () => {
  it('is a static page: no-store, no referrer, nothing runs, and nothing of the callback on it (SEC-04, SEC-01)', async () => {
    const world = hostedScene({ host: { clientMetadata: { client_name: '<script>alert(1)</script>' } } });
    const request = await world.approve(await urlToApprove(world.host, 'ann', world), 'ann');
    const { searchParams } = new URL(request.url);
    const answers = [await world.host.handleCallback(request.clone()), await world.host.handleCallback(request)];
    for (const answer of answers) {
      const html = await answer.text();
      expect(html).not.toMatch(/<script|<form|<img|href=|src=/i);
      expect(html).not.toContain(searchParams.get('code'));
      expect(html).not.toContain(searchParams.get('state'));
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'content-security-policy': expect.stringMatching(/^default-src 'none'; style-src 'sha256-[^']+'; /),
      });
    }
  });

  it.each([
    ['a path', '/connected', 'https://app.example.com/connected'],
    ['a URL', 'https://www.example.com/done?tab=1', 'https://www.example.com/done?tab=1'],
    ['a function', ({ account }: { account: string }) => `/connected/${account}`, 'https://app.example.com/connected/ann'],
  ])('leads to where the configuration says, and never to where the request says: %s (SEC-04)', async (_name, afterLogin, location) => {
    const world = hostedScene({ host: { afterLogin } });
    const { url } = await world.approve(await urlToApprove(world.host, 'ann', world), 'ann');
    const answer = await world.host.handleCallback(
      browserRequest(`${url}&next=https://evil.example&afterLogin=https://evil.example`, 'ann'),
    );
    expect([answer.status, answer.headers.get('location')]).toEqual([303, location]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  });

  it.each([
    ['another origin', () => 'https://evil.example/'],
    ['another origin without a scheme', () => '//evil.example/'],
    ['a script', () => 'javascript:alert(1)'],
    [
      'an error',
      () => {
        throw new Error('no');
      },
    ],
  ])('is the page, where the function of the embedder returns %s (SEC-04)', async (_name, afterLogin) => {
    const logged: string[] = [];
    const world = hostedScene({ host: { afterLogin, logger: ({ event }) => logged.push(event) } });
    const answer = await world.host.handleCallback(await world.approve(await urlToApprove(world.host, 'ann', world), 'ann'));
    expect(answer.status).toBe(200);
    expect(logged).toContain('after-login-refused');
  });
});
