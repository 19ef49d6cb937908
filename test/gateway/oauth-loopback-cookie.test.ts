import { describe, expect, it } from 'vitest';
import { CHALLENGE, REDIRECT_URI } from '../helpers/gateway-scene.ts';
import { scriptedGateway } from '../helpers/scripted-gateway.ts';

const registration = JSON.stringify({ redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' });

/** As a browser that knows its cookies by host and path, but not by port. */
async function consentAt(issuer: string) {
  const { gateway } = scriptedGateway({ issuer, resource: `${new URL(issuer).origin}/mcp` });
  const headers = { 'content-type': 'application/json' };
  const registered = await gateway.fetch(new Request(`${issuer}/oauth/register`, { method: 'POST', headers, body: registration }));
  const { client_id } = (await registered.json()) as { client_id: string };
  const parameters = { response_type: 'code', client_id, code_challenge: CHALLENGE, code_challenge_method: 'S256' };
  const page = await gateway.fetch(new Request(`${issuer}/oauth/authorize?${new URLSearchParams(parameters)}`));
  const html = await page.text();
  const [, transaction = ''] = /name="transaction" value="([^"]+)"/.exec(html) ?? [];
  const [, form_token = ''] = /name="form_token" value="([^"]+)"/.exec(html) ?? [];
  const answer = (cookie: string, choice = 'allow') =>
    gateway.fetch(
      new Request(`${issuer}/oauth/consent`, {
        method: 'POST',
        headers: { cookie },
        body: new URLSearchParams({ transaction, form_token, choice }),
      }),
    );
  return { cookie: page.headers.get('set-cookie') ?? '', transaction, answer };
}

const pairOf = (cookie: string): string => cookie.split(';')[0] ?? '';

describe('the cookie of a transaction', () => {
  it.each([
    ['http://localhost:3000', '/oauth/'],
    ['http://127.0.0.1:3000/gateway', '/gateway/oauth/'],
    ['http://[::1]:3000', '/oauth/'],
  ])('at %s is one that every browser takes there, of the gateway’s own paths only (GWY-06)', async (issuer, path) => {
    const { cookie, transaction, answer } = await consentAt(issuer);
    expect(cookie).toMatch(/^authchart-\d+\.[\w-]{43}=[\w-]{43}; /);
    expect(pairOf(cookie)).toContain(transaction);
    expect(cookie.split('; ').slice(1)).toEqual([`Path=${path}`, 'HttpOnly', 'SameSite=Lax', 'Max-Age=300']);
    const gone = await answer(pairOf(cookie));
    expect([gone.status, pairOf(gone.headers.get('set-cookie') ?? '').startsWith(`authchart-${transaction}=`)]).toEqual([303, true]);
  });

  it('at https has the prefix that keeps other hosts and plain http out, and no other name is looked at (GWY-06)', async () => {
    const { cookie, answer } = await consentAt('https://gateway.example.com/below');
    expect(cookie).toMatch(/^__Host-authchart-.*; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=300$/);
    expect((await answer(pairOf(cookie).replace('__Host-', ''))).status).toBe(403);
    expect((await answer(pairOf(cookie))).status).toBe(303);
  });

  it('that another server of the same machine has set beside it is refused, whichever comes first (GWY-06)', async () => {
    const { cookie, answer } = await consentAt('http://localhost:3000');
    const own = pairOf(cookie);
    const [name = ''] = own.split('=');
    for (const both of [`${own}; ${name}=of-another-port`, `${name}=of-another-port; ${own}`, `${name}=of-another-port`, `${name}=`, ''])
      expect((await answer(both)).status).toBe(403);
    expect((await answer(own, 'refuse')).status).toBe(303);
  });
});
