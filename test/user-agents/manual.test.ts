import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { failure } from '../../src/failure.ts';
import type { CallbackOutcome } from '../../src/user-agents/contract.ts';
import { manual } from '../../src/user-agents/manual.ts';
import { readPasted } from '../../src/user-agents/pasted-callback.ts';

const REDIRECT_URI = 'http://127.0.0.1/callback';

describe('what was pasted', () => {
  it.each([
    [`${REDIRECT_URI}?code=c&state=s`, `${REDIRECT_URI}?code=c&state=s`],
    [`  "${REDIRECT_URI}?code=c&state=s&iss=https%3A%2F%2Fas.example"\r\n`, `${REDIRECT_URI}?code=c&state=s&iss=https%3A%2F%2Fas.example`],
    [`<${REDIRECT_URI}?error=access_denied&state=s>`, `${REDIRECT_URI}?error=access_denied&state=s`],
    ['?code=c&state=s', `${REDIRECT_URI}?code=c&state=s`],
    ['state=s&code=c', `${REDIRECT_URI}?state=s&code=c`],
    ['c/d==#s', `${REDIRECT_URI}?code=c%2Fd%3D%3D&state=s`],
    [`${REDIRECT_URI}?code=c&state=s#`, `${REDIRECT_URI}?code=c&state=s`],
  ])('%j is the callback %s', (pasted, callbackUrl) => {
    expect(readPasted(pasted, REDIRECT_URI)).toEqual({ kind: 'callback', callbackUrl });
  });

  it.each(['just-a-code', `${REDIRECT_URI}?code=c`, 'code=c', 'c#', '#s', 'c#s#x'])(
    '%j is refused: a code must prove its state, and the answer says how (AUT-05 at the paste)',
    (pasted) => {
      const read = readPasted(pasted, REDIRECT_URI);
      expect(read).toMatchObject({ kind: 'refused', why: expect.stringContaining('Paste the whole address, or code#state') });
    },
  );

  it.each([
    'https://evil.example/callback?code=c&state=s',
    'http://127.0.0.1/other?code=c&state=s',
    'http://127.0.0.1:81/callback?code=c&state=s',
    `${REDIRECT_URI}`,
    'two words',
    'x'.repeat(20_000),
  ])('%j is refused without repeating it', (pasted) => {
    const read = readPasted(pasted, REDIRECT_URI);
    expect(read.kind).toBe('refused');
    expect(JSON.stringify(read)).not.toContain('evil');
  });
});

/** A session at a terminal: what was said, and a place to type. */
async function session(decide: (callbackUrl: string) => CallbackOutcome) {
  const input = new PassThrough();
  const output = new PassThrough({ encoding: 'utf8' });
  const delivered: string[] = [];
  let accepted: () => void = () => {};
  const done = new Promise<void>((resolve) => (accepted = resolve));
  let said = '';
  output.on('data', (text: string) => (said += text));
  const target = await manual({ input, output }).open({
    redirectUris: [REDIRECT_URI],
    deliver: async (callbackUrl) => {
      delivered.push(callbackUrl);
      const outcome = decide(callbackUrl);
      if (outcome.accepted) accepted();
      return outcome;
    },
  });
  const controller = new AbortController();
  const present = (authorizationUrl = 'https://as.example/authorize?state=s') =>
    target.present({ authorizationUrl, issuer: 'https://as.example', signal: controller.signal });
  return { input, target, delivered, done, controller, present, said: () => said };
}

describe('the manual user agent', () => {
  it('shows the URL and delivers what is pasted', async () => {
    const terminal = await session(() => ({ accepted: true }));
    await terminal.present();
    expect(terminal.said()).toContain('\nhttps://as.example/authorize?state=s\n');
    terminal.input.write(`${REDIRECT_URI}?code=c&state=s\n`);
    await terminal.done;
    expect(terminal.delivered).toEqual([`${REDIRECT_URI}?code=c&state=s`]);
  });

  it('explains a refused paste and asks again', async () => {
    const terminal = await session((url) =>
      url.includes('state=right') ? { accepted: true } : { accepted: false, failure: failure('callback_not_expected', 'authorization') },
    );
    await terminal.present();
    terminal.input.write('only-a-code\n\nwrong-code#wrong\nright-code#right\n');
    await terminal.done;
    expect(terminal.said()).toContain('The code alone is not enough');
    expect(terminal.said()).toContain('The callback belongs to no authorization that is waiting');
    expect(terminal.said()).not.toContain('only-a-code');
    expect(terminal.said()).not.toContain('wrong-code');
  });

  it('says so when the input ends before anything was pasted, instead of waiting in silence', async () => {
    const terminal = await session(() => ({ accepted: true }));
    await terminal.present();
    terminal.input.end();
    await vi.waitFor(() => expect(terminal.said()).toContain('The input has ended: nothing can be pasted here any more.'));
    expect(terminal.delivered).toEqual([]);
  });

  it('shows only http(s) URLs (SEC-06)', async () => {
    const terminal = await session(() => ({ accepted: true }));
    await expect(terminal.present('javascript:alert(1)')).rejects.toMatchObject({ failure: { code: 'url_refused' } });
    expect(terminal.said()).toBe('');
  });

  it('gives the input back when the flow ends', async () => {
    const terminal = await session(() => ({ accepted: true }));
    await terminal.present();
    await terminal.target.close();
    terminal.input.write('typed later\n');
    expect(terminal.input.isPaused()).toBe(true);
    expect(terminal.delivered).toEqual([]);
    expect(terminal.input.destroyed).toBe(false);
  });

  it('stops reading when the flow is cancelled', async () => {
    const terminal = await session(() => ({ accepted: true }));
    await terminal.present();
    terminal.controller.abort();
    terminal.input.write('code#state\n');
    await new Promise((resolve) => setImmediate(resolve));
    expect(terminal.delivered).toEqual([]);
  });

  it('uses the redirect URI of an earlier registration', async () => {
    const target = await manual({ input: new PassThrough(), output: new PassThrough() }).open({
      redirectUris: [REDIRECT_URI],
      preferredRedirectUri: 'http://127.0.0.1:5000/callback',
      deliver: async () => ({ accepted: true }),
    });
    expect(target.redirectUri).toBe('http://127.0.0.1:5000/callback');
  });

  it('fails when there is no redirect URI at all', async () => {
    const opening = manual({ input: new PassThrough(), output: new PassThrough() }).open({
      redirectUris: [],
      deliver: async () => ({ accepted: true }),
    });
    await expect(opening).rejects.toMatchObject({ failure: { code: 'redirect_unavailable' } });
  });
});
