import { Server } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { freePort } from '../helpers/free-port.ts';
import { failureFrom, listen, occupyPort, REFUSED } from './listening.ts';
import { rawRequest } from './raw-request.ts';

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

  it('does not wait on some port when the browser comes back to none', async () => {
    const known = await failureFrom(listen({ preferredRedirectUri: 'http://127.0.0.1/callback', preferredOnly: true }));
    expect(known.code).toBe('redirect_unavailable');
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
