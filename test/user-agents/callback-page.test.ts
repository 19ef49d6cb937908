import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { failure } from '../../src/failure.ts';
import { FAILURE_CODES, type FailureCode } from '../../src/failure-codes.ts';
import { acceptedPage, completedPage, emptyCallbackPage, refusedPage, securityHeaders } from '../../src/user-agents/callback-page.ts';
import { loopback } from '../../src/user-agents/loopback.ts';
import { rawRequest } from './raw-request.ts';

describe('what a page says', () => {
  it('says that the window can be closed once the callback was accepted', () => {
    expect(acceptedPage('Example').html).toContain('<h1>You can close this window</h1>');
  });

  it('does not claim that the login is complete: the code has not been exchanged yet', () => {
    expect(acceptedPage('Example').html).not.toMatch(/signed in|logged in|success/i);
  });

  it.each(Object.keys(FAILURE_CODES) as FailureCode[])('names the failure %s', (code) => {
    const { html } = refusedPage(failure(code, 'authorization'));
    expect(html).toContain(`<code>${code}</code>`);
    expect(html).not.toContain('You can close this window');
  });

  it('escapes everything that it is given (SEC-04)', () => {
    const hostile = `<script>alert("1")</script>'&`;
    for (const page of [
      acceptedPage(hostile),
      completedPage(hostile),
      refusedPage(failure('authorization_rejected', 'authorization', { reason: hostile })),
    ]) {
      expect(page.html).not.toContain('<script');
      expect(page.html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;');
    }
  });

  it('shortens a name that would push the words out of sight', () => {
    expect(acceptedPage('n'.repeat(500)).html).not.toContain('n'.repeat(61));
  });
});

describe('what a page may do', () => {
  const pages = {
    accepted: acceptedPage('Example'),
    completed: completedPage('Example'),
    refused: refusedPage(failure('authorization_denied', 'authorization')),
    empty: emptyCallbackPage(),
  };

  it.each(Object.entries(pages))('the %s page asks for nothing from elsewhere and runs nothing (SEC-04)', (_name, page) => {
    expect(page.html).not.toMatch(/<script|<link|<img|<iframe|<form|@import|url\(|\son\w+=|\sstyle=|href=|src=/i);
  });

  it.each(Object.entries(pages))('the %s page has the one style that its policy allows (SEC-04)', (_name, page) => {
    const style = /<style>([\s\S]*)<\/style>/.exec(page.html)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(securityHeaders(page)['Content-Security-Policy']).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
  });

  it('sends no-store, nosniff and no-referrer with every answer, refused requests included (SEC-04)', async () => {
    const target = await loopback({ openUrl: false }).open({
      redirectUris: ['http://127.0.0.1/callback'],
      deliver: async () => ({ accepted: false, failure: failure('callback_not_expected', 'authorization') }),
    });
    const answers = await Promise.all([
      rawRequest(`${target.redirectUri}?code=c&state=s`),
      rawRequest(target.redirectUri),
      rawRequest(`${target.redirectUri}x`),
      rawRequest(target.redirectUri, { method: 'POST' }),
      rawRequest(target.redirectUri, { host: 'evil.example' }),
    ]);
    await target.close();
    for (const { headers } of answers) {
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'DENY',
      });
      expect(headers['content-security-policy']).toMatch(/^default-src 'none'; /);
    }
  });

  it('shows nothing of the callback on the page (SEC-01 at the page)', async () => {
    const target = await loopback({ openUrl: false }).open({
      redirectUris: ['http://127.0.0.1/callback'],
      deliver: async () => ({ accepted: true }),
    });
    const { body } = await rawRequest(`${target.redirectUri}?code=marked-code&state=marked-state`);
    await target.close();
    expect(body).not.toContain('marked');
  });
});
