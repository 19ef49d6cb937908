import { describe, expect, it, vi } from 'vitest';
import type { CallbackOutcome } from '../../src/user-agents/contract.ts';
import { listen, REFUSED } from './listening.ts';
import { rawRequest } from './raw-request.ts';

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

  it('takes the real callback after any number of forged ones: a page that found the port ends no login (AUT-05, SEC-04)', async () => {
    const { target } = await listen({ deliver: async (url) => (url.includes('state=right') ? { accepted: true } : REFUSED) });
    for (let sent = 0; sent < 80; sent += 1) {
      expect((await rawRequest(`${target.redirectUri}?code=c&state=forged${sent}`)).status).toBe(400);
    }
    expect((await rawRequest(`${target.redirectUri}?code=c&state=right`)).status).toBe(200);
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
    const closing: (() => Promise<void>)[] = [];
    const { target } = await listen({
      deliver: async () => {
        await Promise.all(closing.map((close) => close()));
        return { accepted: true };
      },
    });
    closing.push(target.close);
    const answer = await rawRequest(`${target.redirectUri}?code=c&state=s`);
    expect(answer.body).toContain('You can close this window');
  });
});
