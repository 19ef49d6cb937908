import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FailureError, failure } from '../../src/failure.ts';
import type { CallbackOutcome, RedirectRequest, RedirectTarget } from '../../src/user-agents/contract.ts';
import { type LoopbackOptions, loopback } from '../../src/user-agents/loopback.ts';
import { rawRequest } from './raw-request.ts';

const REFUSED: CallbackOutcome = { accepted: false, failure: failure('callback_not_expected', 'authorization') };
const AUTHORIZATION_URL = 'https://as.example/authorize?state=s';

const targets: RedirectTarget[] = [];
const squatters: Server[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(targets.splice(0).map((target) => target.close()));
  await Promise.all(squatters.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** Opens a listener whose deliveries are recorded and answered by `decide`. */
async function listen(
  request: Partial<RedirectRequest> = {},
  options: LoopbackOptions = { openUrl: false },
): Promise<{ target: RedirectTarget; delivered: string[] }> {
  const delivered: string[] = [];
  const decide = request.deliver ?? (async () => ({ accepted: true }) as const);
  const target = await loopback(options).open({
    redirectUris: ['http://127.0.0.1/callback'],
    ...request,
    deliver: (url) => {
      delivered.push(url);
      return decide(url);
    },
  });
  targets.push(target);
  return { target, delivered };
}

/** Another program that holds a port. */
async function occupyPort(host = '127.0.0.1', port = 0): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  squatters.push(server);
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const port = await occupyPort();
  await new Promise((resolve) => squatters.pop()?.close(resolve));
  return port;
}

async function failureFrom(promise: Promise<unknown>): Promise<FailureError['failure']> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(FailureError);
  return (error as FailureError).failure;
}

describe('the address', () => {
  it('listens before anybody is sent away: the redirect URI answers as soon as open resolves (AUT-04)', async () => {
    const opened: string[] = [];
    const { target } = await listen({}, { openUrl: async (url) => void opened.push(url) });
    const answer = await rawRequest(`${target.redirectUri}?code=c&state=s`);
    expect(answer.status).toBe(200);
    expect(opened).toEqual([]);
  });

  it('binds to loopback addresses only, whatever the redirect URI is called (SEC-04)', async () => {
    const listenCalls = vi.spyOn(Server.prototype, 'listen');
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) await listen({ redirectUris: [`http://${host}/callback`] });
    const hosts = listenCalls.mock.calls.map(([first]) => (first as { host?: string }).host);
    expect(hosts.length).toBeGreaterThanOrEqual(3);
    expect(hosts.filter((host) => host !== '127.0.0.1' && host !== '::1')).toEqual([]);
  });

  it('keeps the host name and the path of the redirect URI and adds the port', async () => {
    const names = ['http://127.0.0.1/callback', 'http://localhost/oauth/return', 'http://[::1]/callback', 'http://127.0.0.1'];
    const made = await Promise.all(names.map((uri) => listen({ redirectUris: [uri] })));
    const withoutPort = made.map(({ target }) => target.redirectUri.replace(/:\d+(?=\/|$)/, ''));
    expect(withoutPort).toEqual(names);
  });

  it('answers under both address families when the redirect URI says localhost', async () => {
    const { target } = await listen({ redirectUris: ['http://localhost/callback'], deliver: async () => REFUSED });
    const { host, port } = new URL(target.redirectUri);
    for (const address of ['127.0.0.1', '[::1]']) {
      const answer = await rawRequest(`http://${address}:${port}/callback?code=c&state=s`, { host });
      expect(answer.status).toBe(400);
    }
  });

  it('takes the port of an earlier registration first (REG-05)', async () => {
    const port = await freePort();
    const { target } = await listen({ preferredRedirectUri: `http://127.0.0.1:${port}/callback` });
    expect(target.redirectUri).toBe(`http://127.0.0.1:${port}/callback`);
  });

  it('takes another port when the registered one is in use (REG-05)', async () => {
    const port = await occupyPort();
    const { target } = await listen({ preferredRedirectUri: `http://127.0.0.1:${port}/callback` });
    expect(target.redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
    expect(new URL(target.redirectUri).port).not.toBe(String(port));
  });

  it('does not listen on an earlier redirect URI that the client no longer offers (REG-05)', async () => {
    const port = await freePort();
    const { target } = await listen({ preferredRedirectUri: `http://127.0.0.1:${port}/old` });
    expect(new URL(target.redirectUri).pathname).toBe('/callback');
  });

  it('says that the port is taken when the browser is already on its way to it', async () => {
    const port = await occupyPort();
    const preferredRedirectUri = `http://127.0.0.1:${port}/callback`;
    const known = await failureFrom(listen({ preferredRedirectUri, preferredOnly: true }));
    expect(known.code).toBe('redirect_unavailable');
    expect(known.message).toContain('another program listens there');
  });

  it('does not take a port of localhost that another program has in the other address family', async () => {
    const port = await occupyPort('::1');
    const known = await failureFrom(listen({ redirectUris: [`http://localhost:${port}/callback`] }));
    expect(known.code).toBe('redirect_unavailable');
    // and the half that was bound is free again
    await expect(occupyPort('127.0.0.1', port)).resolves.toBe(port);
  });

  it('fails with redirect_unavailable when a redirect URI with a fixed port cannot be had', async () => {
    const port = await occupyPort();
    const known = await failureFrom(listen({ redirectUris: [`http://127.0.0.1:${port}/callback`] }));
    expect(known.code).toBe('redirect_unavailable');
  });

  it.each([
    'https://app.example/callback',
    'http://192.168.1.4/callback',
    'http://127.0.0.1.example/callback',
    'http://u:p@127.0.0.1/callback',
    'app:/callback',
  ])('does not listen for %s (SEC-04)', async (uri) => {
    const known = await failureFrom(listen({ redirectUris: [uri] }));
    expect(known.code).toBe('invalid_configuration');
  });

  it('frees the port on close, and close may be called again', async () => {
    const { target } = await listen();
    const port = Number(new URL(target.redirectUri).port);
    await target.close();
    await target.close();
    await expect(occupyPort('127.0.0.1', port)).resolves.toBe(port);
  });
});

describe('the listener', () => {
  it('hands over the callback URL as it came, under its own address', async () => {
    const { target, delivered } = await listen();
    await rawRequest(`${target.redirectUri}?code=a%2Fb%20c&state=s&iss=https%3A%2F%2Fas.example`);
    expect(delivered).toEqual([`${target.redirectUri}?code=a%2Fb%20c&state=s&iss=https%3A%2F%2Fas.example`]);
  });

  it.each([
    '/',
    '/callback/',
    '/callback/x?code=c&state=s',
    '/Callback?code=c&state=s',
    '/%63allback?code=c&state=s',
    '//callback?code=c&state=s',
    '/favicon.ico',
    '/x/../callback?code=c&state=s',
  ])('answers 404 to %s: one exact path (SEC-04)', async (path) => {
    const { target, delivered } = await listen();
    const answer = await rawRequest(target.redirectUri, { target: path });
    expect(answer.status).toBe(404);
    expect(delivered).toEqual([]);
  });

  it('does not take an absolute request target for the path (SEC-04)', async () => {
    const { target, delivered } = await listen();
    const answer = await rawRequest(target.redirectUri, { target: `${target.redirectUri}?code=c&state=s` });
    expect(answer.status).toBe(404);
    expect(delivered).toEqual([]);
  });

  it.each(['POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS'])('answers 405 to %s: GET only (SEC-04)', async (method) => {
    const { target, delivered } = await listen();
    const answer = await rawRequest(`${target.redirectUri}?code=c&state=s`, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers['allow']).toBe('GET');
    expect(delivered).toEqual([]);
  });

  it.each(['evil.example', 'localhost', '127.0.0.1:1', '127.0.0.1'])(
    'refuses the Host header %s: DNS rebinding changes nothing (SEC-04)',
    async (host) => {
      const { target, delivered } = await listen();
      const answer = await rawRequest(`${target.redirectUri}?code=c&state=s`, { host });
      expect(answer.status).toBe(421);
      expect(delivered).toEqual([]);
    },
  );

  it('closes after the callback that is accepted (SEC-04)', async () => {
    const { target } = await listen();
    const answer = await rawRequest(`${target.redirectUri}?code=c&state=s`);
    expect(answer.status).toBe(200);
    await expect(rawRequest(`${target.redirectUri}?code=c&state=s`)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('stays open after a callback that matches no attempt (SEC-04, AUT-05 at the listener)', async () => {
    const { target, delivered } = await listen({
      deliver: async (url) => (url.includes('state=right') ? { accepted: true } : REFUSED),
    });
    const forged = await rawRequest(`${target.redirectUri}?code=c&state=forged`);
    expect(forged.status).toBe(400);
    const real = await rawRequest(`${target.redirectUri}?code=c&state=right`);
    expect(real.status).toBe(200);
    expect(delivered).toHaveLength(2);
  });

  it('looks at a bounded number of refused callbacks and keeps the port (SEC-04)', async () => {
    const { target, delivered } = await listen({ deliver: async () => REFUSED });
    const statuses: number[] = [];
    for (let sent = 0; sent < 55; sent += 1) {
      statuses.push((await rawRequest(`${target.redirectUri}?code=c&state=forged${sent}`)).status);
    }
    expect(statuses).toEqual([...Array<number>(50).fill(400), ...Array<number>(5).fill(429)]);
    expect(delivered).toHaveLength(50);
  });

  it('treats the same callback sent twice at once as one (SEC-04)', async () => {
    let decide: (outcome: CallbackOutcome) => void = () => {};
    const decision = new Promise<CallbackOutcome>((resolve) => (decide = resolve));
    const { target, delivered } = await listen({ deliver: () => decision });
    const twice = [1, 2].map(() => rawRequest(`${target.redirectUri}?code=c&state=s`));
    await vi.waitFor(() => expect(delivered).toHaveLength(1));
    decide({ accepted: true });
    const answers = await Promise.allSettled(twice);
    expect(delivered).toHaveLength(1);
    expect(answers[0]).toMatchObject({ status: 'fulfilled', value: { status: 200 } });
  });

  it('does not hand over a request without a query', async () => {
    const { target, delivered } = await listen();
    const answer = await rawRequest(target.redirectUri);
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('Nothing has arrived yet');
    expect(delivered).toEqual([]);
  });

  it('answers with a failure of ours when the hand-over itself breaks', async () => {
    const { target } = await listen({ deliver: () => Promise.reject(new Error('marked-secret in a stack')) });
    const answer = await rawRequest(`${target.redirectUri}?code=c&state=s`);
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('internal_error');
    expect(answer.body).not.toContain('marked-secret');
  });

  it('still sends the page when the target is closed while the callback is being checked', async () => {
    const { target } = await listen({
      deliver: async () => {
        await targets[0]?.close();
        return { accepted: true };
      },
    });
    const answer = await rawRequest(`${target.redirectUri}?code=c&state=s`);
    expect(answer.body).toContain('You can close this window');
  });
});

describe('opening the browser', () => {
  const authorization = (authorizationUrl: string, signal = new AbortController().signal) => ({
    authorizationUrl,
    issuer: 'https://as.example',
    signal,
  });

  it('opens the authorization URL', async () => {
    const opened: string[] = [];
    const { target } = await listen({}, { openUrl: async (url) => void opened.push(url) });
    await target.present(authorization(AUTHORIZATION_URL));
    expect(opened).toEqual([AUTHORIZATION_URL]);
  });

  it('refuses to open what is not an http(s) URL, before the opener sees it (SEC-06)', async () => {
    const opened: string[] = [];
    const { target } = await listen({}, { openUrl: async (url) => void opened.push(url) });
    const known = await failureFrom(target.present(authorization('file:///bin/sh')));
    expect(known.code).toBe('url_refused');
    expect(opened).toEqual([]);
  });

  it('reports a browser that cannot be started, and listens on', async () => {
    const openUrl = () => Promise.reject(new Error('spawn xdg-open ENOENT'));
    const { target } = await listen({}, { openUrl });
    const known = await failureFrom(target.present(authorization(AUTHORIZATION_URL)));
    expect(known.code).toBe('user_agent_failed');
    expect((await rawRequest(`${target.redirectUri}?code=c&state=s`)).status).toBe(200);
  });

  it('lets the application show the URL when no browser can be started', async () => {
    const shown: string[] = [];
    const openUrl = () => Promise.reject(new Error('no display'));
    const { target } = await listen({}, { openUrl, onOpenFailed: (url) => void shown.push(url) });
    await target.present(authorization(AUTHORIZATION_URL));
    expect(shown).toEqual([AUTHORIZATION_URL]);
  });

  it('opens nothing once the flow has been cancelled', async () => {
    const opened: string[] = [];
    const { target } = await listen({}, { openUrl: async (url) => void opened.push(url) });
    await expect(target.present(authorization(AUTHORIZATION_URL, AbortSignal.abort()))).rejects.toThrow();
    expect(opened).toEqual([]);
  });
});
