import { describe, expect, it } from 'vitest';
import { failureFrom, listen } from './listening.ts';
import { rawRequest } from './raw-request.ts';

const AUTHORIZATION_URL = 'https://as.example/authorize?state=s';

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
