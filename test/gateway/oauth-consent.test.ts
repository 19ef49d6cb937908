import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { formOn } from '../fixtures/page-form.ts';
import type { Landing } from '../helpers/gateway-browser.ts';
import { authorizeUrl, CHALLENGE, GATEWAY, REDIRECT_URI, register, registeredClient } from '../helpers/gateway-scene.ts';
import { callbackUrl, scriptedGateway } from '../helpers/scripted-gateway.ts';
import { IDENTITY_PROVIDER } from '../helpers/scripted-identity-provider.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

describe('an authorization request', () => {
  it.each<[string, Record<string, string | undefined>, string]>([
    ['without PKCE', { code_challenge: undefined }, 'invalid_request'],
    ['with PKCE in the clear', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['with PKCE of no method', { code_challenge_method: undefined }, 'invalid_request'],
    ['with a challenge that is none', { code_challenge: 'x' }, 'invalid_request'],
    ['for a token', { response_type: 'token' }, 'unsupported_response_type'],
    ['for a code and a token', { response_type: 'code token' }, 'unsupported_response_type'],
    ['for a fragment', { response_mode: 'fragment' }, 'invalid_request'],
    ['with a request object', { request: 'x' }, 'request_not_supported'],
    ['with a request object elsewhere', { request_uri: 'https://x.example' }, 'request_uri_not_supported'],
    ['that nobody shall see', { prompt: 'none' }, 'interaction_required'],
    ['for another resource', { resource: 'https://other.example.com/mcp' }, 'invalid_target'],
    ['for the resource beside', { resource: `${GATEWAY}/mcp2` }, 'invalid_target'],
    ['for no resource there is', { resource: 'x' }, 'invalid_target'],
    ['for an unknown scope', { scope: 'read admin' }, 'invalid_scope'],
    ['for a scope that is none', { scope: 'read "' }, 'invalid_scope'],
  ])('%s goes back to the client with an error and our issuer (GWY-05, GWY-07)', async (_, changes, error) => {
    const { gateway } = scriptedGateway({ scopes: ['read'] });
    const url = authorizeUrl(await registeredClient(gateway), changes);
    const response = await gateway.fetch(new Request(url));
    expect(response.status).toBe(303);
    const location = new URL(response.headers.get('location') ?? '');
    expect(`${location.origin}${location.pathname}`).toBe(REDIRECT_URI);
    expect(Object.fromEntries(location.searchParams)).toEqual({
      error,
      error_description: expect.any(String),
      state: 'the state of the client',
      iss: GATEWAY,
    });
    expect(response.headers.has('set-cookie')).toBe(false);
  });

  it.each<[string, Record<string, string | undefined>, string?]>([
    ['of nobody', { client_id: undefined }],
    ['of a client that is unknown', { client_id: `1.${'x'.repeat(43)}` }],
    ['to a redirect URI that differs by one byte', { redirect_uri: `${REDIRECT_URI}/` }],
    ['to one of another host', { redirect_uri: 'http://localhost:5000/callback' }],
    ['with two clients', {}, '&client_id=x'],
    ['with two redirect URIs', {}, `&redirect_uri=${REDIRECT_URI}`],
  ])('%s is answered here, and sent nowhere (GWY-05)', async (_, changes, more = '') => {
    const { gateway } = scriptedGateway();
    const response = await gateway.fetch(new Request(authorizeUrl(await registeredClient(gateway), changes) + more));
    expect(response.status).toBe(400);
    expect(response.headers.has('location')).toBe(false);
    expect(await response.text()).toContain('This sign-in cannot go on');
  });

  it.each(['state', 'scope', 'response_type', 'code_challenge', 'resource', 'anything'])(
    'with %s twice goes back as invalid (GWY-05)',
    async (name) => {
      const { gateway } = scriptedGateway();
      const response = await gateway.fetch(
        new Request(`${authorizeUrl(await registeredClient(gateway), { anything: '1' })}&${name}=twice`),
      );
      const location = new URL(response.headers.get('location') ?? '');
      expect(location.searchParams.get('error')).toBe('invalid_request');
      expect(location.searchParams.has('state')).toBe(name !== 'state');
    },
  );

  it('longer than any real one is refused (GWY-05)', async () => {
    const { gateway } = scriptedGateway();
    const response = await gateway.fetch(new Request(authorizeUrl(await registeredClient(gateway), { state: 'x'.repeat(70_000) })));
    expect(response.status).toBe(414);
  });

  it('may leave out what has a default (GWY-03)', async () => {
    const scene = scriptedGateway({ scopes: ['read', 'write'], defaultScope: 'write' });
    const { upstream } = await scene.leave(scene.browser(), {
      redirect_uri: undefined,
      scope: undefined,
      resource: undefined,
      state: undefined,
    });
    expect(upstream.searchParams.get('scope')).toBe('write');
    const landing = await scene.browser().open(callbackUrl(upstream));
    expect(landing.response?.status).toBe(403);
  });

  it('beyond the number of transactions there may be goes back, and nobody else is disturbed (GWY-04)', async () => {
    const scene = scriptedGateway({ limits: { transactions: 2 } });
    const clientId = await registeredClient(scene.gateway);
    const browser = scene.browser();
    const first = await browser.open(authorizeUrl(clientId));
    const landings: Landing[] = [];
    for (let count = 0; count < 30; count += 1) landings.push(await scene.browser().open(authorizeUrl(clientId)));
    expect(landings.at(-1)?.url.searchParams.get('error')).toBe('temporarily_unavailable');
    expect((await browser.answer(first, 'allow')).url.origin).toBe('https://login.example.com');
    await scene.clock.advance(300_000);
    expect((await scene.browser().open(authorizeUrl(clientId))).response?.status).toBe(200);
  });
});

describe('the consent page', () => {
  it('says who asks for what and where it is sent, with nothing but one form (GWY-06)', async () => {
    const scene = scriptedGateway({ name: 'Weather' });
    const { html, response } = await scene.browser().open(authorizeUrl(await registeredClient(scene.gateway), { scope: 'read write' }));
    expect(html).toContain('<title>Allow Agent to use Weather?</title>');
    expect(html).toContain('<li><code>read</code></li><li><code>write</code></li>');
    expect(html).toContain('<code>127.0.0.1:5000</code>');
    expect(html).toContain('Nobody has checked it');
    expect(html).not.toMatch(/<script|\son\w+=|src=|<link|url\(/i);
    const policy = response?.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    const style = /<style>([\s\S]*)<\/style>/.exec(html)?.[1] ?? '';
    const digest = btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style)))));
    expect(policy).toContain(`style-src 'sha256-${digest}'`);
    expect(response?.headers.get('x-frame-options')).toBe('DENY');
    expect(response?.headers.get('cache-control')).toBe('no-store');
  });

  it('warns where the answer goes to the person’s own machine, wherever else the client may have it sent (GWY-06)', async () => {
    const { gateway, browser } = scriptedGateway();
    const clientId = await registeredClient(gateway, { redirect_uris: ['https://client.example.com/cb', REDIRECT_URI] });
    const isWarned = async (redirect_uri: string) =>
      (await browser().open(authorizeUrl(clientId, { redirect_uri }))).html.includes('class="warning"');
    expect([await isWarned(REDIRECT_URI), await isWarned('https://client.example.com/cb')]).toEqual([true, false]);
  });

  it.each([
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['"><img src=x onerror=alert(1)>', '&quot;&gt;&lt;img src=x onerror=alert(1)&gt;'],
    ['{resource} {host}', '{resource} {host}'],
    ['A\u202Egent\u200B', 'Agent'],
    [`A\u0301\u0302${'\u0303'.repeat(60)}gent`, 'A\u0301\u0302gent'],
    ['Age\u3164nt\u2800\u{E0041}', 'Agent'],
    ['\u3164\u115F\u2800', '127.0.0.1:5000'],
  ])('shows the name %j as text (GWY-06)', async (name, shown) => {
    const { gateway, browser } = scriptedGateway();
    const { body } = await register(gateway, { client_name: name });
    const { html } = await browser().open(authorizeUrl(String(body['client_id'])));
    expect(html).toContain(`<h1>Allow <bdi class="client">${shown}</bdi> to use`);
    expect(html).toContain(`<p><bdi class="client">${shown}</bdi> asks for access`);
    expect(html).not.toMatch(/<script|<img/);
  });

  it('speaks the language of the browser, and what the configuration adds (GWY-06)', async () => {
    const { gateway } = scriptedGateway({
      consent: { texts: { eo: { allow: 'Permesi' }, en: { refuse: 'No, thanks' } }, style: { '--accent': '#063' } },
    });
    const url = authorizeUrl(await registeredClient(gateway));
    const pageIn = async (language: string) => (await gateway.fetch(new Request(url, { headers: { 'accept-language': language } }))).text();
    expect(await pageIn('de-AT,en;q=0.5')).toContain('<html lang="de" dir="ltr">');
    expect(await pageIn('de')).toContain('Erlauben und anmelden');
    expect(await pageIn('xx, en;q=0.2, eo;q=0.9')).toContain('Permesi');
    expect(await pageIn('"><script>;q=x')).toContain('No, thanks');
    expect(await pageIn('')).toContain(':root{--accent:#063}');
  });

  it('says in English, and marks as such, what it can say in no other language (GWY-06)', async () => {
    const { gateway } = scriptedGateway({ consent: { texts: { eo: { problem: 'Ne eblas' } } } });
    const pageIn = async (language: string) =>
      (await gateway.fetch(new Request(`${GATEWAY}/oauth/authorize`, { headers: { 'accept-language': language } }))).text();
    expect(await pageIn('eo')).toContain('<p lang="en" dir="ltr">client_id has to be there once.</p>');
    expect(await pageIn('fa,de;q=0.5')).toContain('<p lang="en" dir="ltr">client_id has to be there once.</p>');
  });

  it('shows the address of a client in ASCII, as it is looked up (GWY-06)', async () => {
    const { gateway, browser } = scriptedGateway();
    const uri = 'https://xn--ggle-55da.example/cb';
    const clientId = await registeredClient(gateway, { redirect_uris: [uri] });
    const { html } = await browser().open(authorizeUrl(clientId, { redirect_uri: uri }));
    expect(html).toContain('<code>xn--ggle-55da.example</code>');
  });

  it('binds the transaction to its browser by a cookie that no other host can set (GWY-06)', async () => {
    const { gateway } = scriptedGateway();
    const response = await gateway.fetch(new Request(authorizeUrl(await registeredClient(gateway))));
    expect(response.headers.get('set-cookie')).toMatch(
      /^__Host-authchart-\d+\.[\w-]{43}=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=300$/,
    );
  });
});

describe('consent', () => {
  it('is what has to come before anything upstream: no state, no PKCE, no request (GWY-06, GWY-07)', async () => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const page = await browser.open(authorizeUrl(await registeredClient(scene.gateway)));
    expect(page.html).not.toContain('login.example.com');
    const before = new Map(browser.cookies);
    const { url } = await browser.answer(page, 'allow');
    expect(url.origin).toBe('https://login.example.com');
    const sent = Object.fromEntries(url.searchParams);
    expect(sent).toMatchObject({ response_type: 'code', client_id: 'gateway', redirect_uri: `${GATEWAY}/oauth/callback`, scope: 'read' });
    expect(sent['code_challenge_method']).toBe('S256');
    expect([sent['code_challenge'], sent['state']]).not.toContain(CHALLENGE);
    expect(sent['state']).not.toContain('the state of the client');
    // What was in the browser before consent is worth nothing on the way back.
    const earlier = scene.browser();
    for (const [name, value] of before) earlier.cookies.set(name, value);
    expect((await earlier.open(callbackUrl(url))).response?.status).toBe(403);
    expect([...browser.cookies.values()][0]).toMatch(/^[\w-]{43}$/);
  });

  it.each<[string, Record<string, string>]>([
    ['another form token', { form_token: 'x'.repeat(43) }],
    ['no form token', { form_token: '' }],
  ])('with %s is refused, and the page stays good (GWY-06)', async (_, changes) => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const page = await browser.open(authorizeUrl(await registeredClient(scene.gateway)));
    expect((await browser.answer(page, 'allow', changes)).response?.status).toBe(403);
    expect((await browser.answer(page, 'allow')).url.origin).toBe('https://login.example.com');
  });

  it('from another browser is refused, whoever has seen the page (GWY-06)', async () => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const page = await browser.open(authorizeUrl(await registeredClient(scene.gateway)));
    expect((await scene.browser().answer(page, 'allow')).response?.status).toBe(403);
    expect((await scene.browser().answer(page, 'refuse')).response?.status).toBe(403);
    expect((await browser.answer(page, 'allow')).url.origin).toBe('https://login.example.com');
  });

  it.each([{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'https://evil.example' }, { origin: 'null' }])(
    'sent by a page of another origin is refused: %j (GWY-06)',
    async (headers) => {
      const scene = scriptedGateway();
      const browser = scene.browser();
      const page = await browser.open(authorizeUrl(await registeredClient(scene.gateway)));
      const [name = '', value = ''] = [...browser.cookies].map(([key, secret]) => [key.split(' ')[1] ?? '', secret])[0] ?? [];
      const body = new URLSearchParams({ ...formOn(page.html).hidden, choice: 'allow' });
      const sent = async (from: Readonly<Record<string, string | undefined>>): Promise<number> => {
        const init = { method: 'POST', body, headers: { ...from, cookie: `${name}=${value}` } as Record<string, string> };
        return (await scene.gateway.fetch(new Request(`${GATEWAY}/oauth/consent`, init))).status;
      };
      expect(await sent(headers)).toBe(403);
      expect(await sent({ 'sec-fetch-site': 'same-origin', origin: GATEWAY })).toBe(303);
    },
  );

  it('is given once, also where the button is pressed twice at once on two replicas (GWY-04, GWY-06)', async () => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const page = await browser.open(authorizeUrl(await registeredClient(scene.gateway)));
    const other = scene.browser(scene.replica());
    for (const [name, value] of browser.cookies) other.cookies.set(name, value);
    const answers = await Promise.all([browser.answer(page, 'allow'), other.answer(page, 'allow')]);
    expect(answers.filter(({ url }) => url.origin === IDENTITY_PROVIDER)).toHaveLength(1);
    expect((await browser.answer(page, 'refuse')).response?.status).toBeGreaterThanOrEqual(400);
  });

  it('without a choice changes nothing: it may still be given in the last moment (GWY-04, GWY-06)', async () => {
    const scene = scriptedGateway();
    const browser = scene.browser();
    const page = await browser.open(authorizeUrl(await registeredClient(scene.gateway)));
    expect((await browser.answer(page, 'allow', { choice: 'perhaps' })).response?.status).toBe(400);
    await scene.clock.advance(299_999);
    expect((await browser.answer(page, 'allow')).url.origin).toBe(IDENTITY_PROVIDER);
  });

  it('that comes too late is refused, also where the store is behind in time and still has what it was for (GWY-04, GWY-06)', async () => {
    const scene = scriptedGateway({ store: memoryStore({ clock: simulatedClock() }) });
    const browser = scene.browser();
    const page = await browser.open(authorizeUrl(await registeredClient(scene.gateway)));
    await scene.clock.advance(300_000);
    const { url, response, html } = await browser.answer(page, 'allow');
    expect([url.origin, response?.status]).toEqual([GATEWAY, 400]);
    expect(html).toContain('start again in the application');
  });

  it('that arrives as something else than one form is refused (GWY-06)', async () => {
    const { gateway } = scriptedGateway();
    const send = (body: string, type = 'application/x-www-form-urlencoded') =>
      gateway.fetch(new Request(`${GATEWAY}/oauth/consent`, { method: 'POST', body, headers: { 'content-type': type } }));
    expect((await send('choice=allow&choice=refuse')).status).toBe(400);
    expect((await send('{}', 'application/json')).status).toBe(415);
    expect((await send('x'.repeat(10 * 1024 * 1024))).status).toBe(413);
    expect((await send('')).status).toBe(400);
  });
});
