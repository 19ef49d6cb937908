import { describe, expect, it } from 'vitest';
import { TRANSLATIONS } from '../../src/gateway/oauth/consent-translations.ts';
import { authorizeUrl, GATEWAY, REDIRECT_URI, registeredClient } from '../helpers/gateway-scene.ts';
import { callbackUrl, scriptedGateway } from '../helpers/scripted-gateway.ts';

const WEB = 'https://client.example.com/cb?from=gateway';
const APPLICATION = 'cursor://anysphere.cursor-mcp/oauth/callback';

/** The link of a page, as a browser reads it. */
const linkIn = (html: string): { url: URL; text: string } => {
  const [, href = '', text = ''] = /<a href="([^"]+)">(.*?)<\/a>/.exec(html) ?? [];
  return { url: new URL(href.replaceAll('&amp;', '&')), text: text.replaceAll(/<[^>]+>/g, '') };
};

const open = async (redirect_uri: string, changes: Readonly<Record<string, string>> = {}, language = 'en') => {
  const { gateway } = scriptedGateway({ scopes: ['read'] });
  const clientId = await registeredClient(gateway, { redirect_uris: [redirect_uri] });
  const url = authorizeUrl(clientId, { redirect_uri, ...changes });
  const response = await gateway.fetch(new Request(url, { headers: { 'accept-language': language } }));
  return { response, html: await response.text() };
};

describe('an error that comes before anybody has consented', () => {
  it.each([
    ['a web site', WEB, 'client.example.com'],
    ['an application', APPLICATION, 'cursor:'],
  ])(
    'is shown by the gateway, with a link to %s that says where it leads, and sends nobody there (GWY-05, GWY-06)',
    async (_, uri, place) => {
      const { response, html } = await open(uri, { scope: 'admin' });
      expect([response.status, response.headers.get('location'), response.headers.has('refresh')]).toEqual([400, null, false]);
      expect(html).not.toMatch(/http-equiv|<script/i);
      const { url, text } = linkIn(html);
      expect(url.href.startsWith(uri)).toBe(true);
      expect(Object.fromEntries(url.searchParams)).toMatchObject({
        error: 'invalid_scope',
        state: 'the state of the client',
        iss: GATEWAY,
      });
      expect(text).toBe(`Back to ${place}`);
      for (const said of ['The application asks for something that is not to be had here.', 'Nobody has checked it.', 'is not known here'])
        expect(html).toContain(said);
    },
  );

  it.each<[string, Record<string, string>, string]>([
    ['invalid_request', { code_challenge_method: 'plain' }, 'asked in a way that is not understood here'],
    ['unsupported_response_type', { response_type: 'token' }, 'not to be had here'],
    ['invalid_target', { resource: 'https://other.example.com/mcp' }, 'not to be had here'],
    ['interaction_required', { prompt: 'none' }, 'not to be had here'],
  ])('is said in plain words: %s (GWY-05)', async (error, changes, words) => {
    const { response, html } = await open(WEB, changes);
    expect([response.status, linkIn(html).url.searchParams.get('error')]).toEqual([400, error]);
    expect(html).toContain(words);
  });

  it('is an outage where too many sign in (GWY-04)', async () => {
    const { gateway, browser } = scriptedGateway({ limits: { transactions: 1 } });
    const clientId = await registeredClient(gateway, { redirect_uris: [WEB] });
    const url = authorizeUrl(clientId, { redirect_uri: WEB });
    await browser().open(url);
    const { response, html } = await browser().open(url);
    expect([response?.status, linkIn(html).url.searchParams.get('error')]).toEqual([503, 'temporarily_unavailable']);
    expect(html).toContain('Nobody can sign in at this moment. Try again later.');
  });

  it.each([...TRANSLATIONS])('is said in %s, and for developers in English (GWY-06)', async (language, texts) => {
    const { html } = await open(WEB, { scope: 'admin' }, language);
    expect(html).toContain(`<html lang="${language}"`);
    for (const text of [texts.problem, texts.notOffered, texts.backUnchecked]) expect(html).toContain(`>${text}<`);
    expect(linkIn(html).text).toBe(texts.back.replace('{host}', 'client.example.com'));
    expect(html).toContain('<p class="soft" lang="en" dir="ltr">scope holds one that is not known here.</p>');
  });

  it('goes to the person’s own machine by itself: what listens there waits for it (GWY-05)', async () => {
    const { response } = await open(REDIRECT_URI, { scope: 'admin' });
    expect([response.status, response.headers.get('location')?.startsWith(`${REDIRECT_URI}?error=invalid_scope&`)]).toEqual([303, true]);
  });
});

describe('a person who has decided', () => {
  it.each([WEB, APPLICATION])('is sent to %s, whatever the decision was and whatever came of it (GWY-06)', async (redirect_uri) => {
    const scene = scriptedGateway();
    const clientId = await registeredClient(scene.gateway, { redirect_uris: [redirect_uri] });
    const browser = scene.browser();
    const refused = await browser.answer(await browser.open(authorizeUrl(clientId, { redirect_uri })), 'refuse');
    expect([refused.url.href.startsWith(redirect_uri), refused.url.searchParams.get('error')]).toEqual([true, 'access_denied']);
    const { url: upstream } = await browser.answer(await browser.open(authorizeUrl(clientId, { redirect_uri })), 'allow');
    const failed = await browser.open(callbackUrl(upstream, { code: undefined, error: 'server_error' }));
    expect([failed.url.href.startsWith(redirect_uri), failed.url.searchParams.get('error')]).toEqual([true, 'server_error']);
  });
});
