import { describe, expect, it } from 'vitest';
import { TRANSLATIONS } from '../../src/gateway/oauth/consent-translations.ts';
import { authorizeUrl, GATEWAY, registeredClient } from '../helpers/gateway-scene.ts';
import { scriptedGateway } from '../helpers/scripted-gateway.ts';

describe('the consent page', () => {
  it.each([
    ['openid read offline_access', 'en', '<li><code>read</code></li><li>Stay signed in when you are away</li>'],
    ['openid offline_access', 'de', '<li>Angemeldet bleiben, auch wenn Sie nicht da sind</li>'],
    ['openid', 'en', '<li><code>openid</code></li>'],
  ])('says in words what the scopes of OpenID Connect mean: %s in %s (GWY-06)', async (scope, language, items) => {
    const { gateway } = scriptedGateway();
    const headers = { 'accept-language': language };
    const html = await (await gateway.fetch(new Request(authorizeUrl(await registeredClient(gateway), { scope }), { headers }))).text();
    expect(html).toContain(`<ul aria-labelledby="scopes">${items}</ul>`);
  });

  it('speaks a region’s own words beside those of its language (GWY-06)', async () => {
    const { gateway } = scriptedGateway({ consent: { texts: { 'pt-BR': { allow: 'Permitir e fazer login' } } } });
    const url = authorizeUrl(await registeredClient(gateway));
    const pageIn = async (language: string) => (await gateway.fetch(new Request(url, { headers: { 'accept-language': language } }))).text();
    const brazilian = await pageIn('pt-BR,pt;q=0.9');
    for (const text of ['<html lang="pt-br" dir="ltr">', 'Permitir e fazer login', 'Recusar']) expect(brazilian).toContain(text);
    expect(await pageIn('pt-PT')).toContain('Permitir e entrar');
  });

  it.each([...TRANSLATIONS])('says all it has to say in %s, with every name in its place (GWY-06)', async (language, texts) => {
    const { gateway } = scriptedGateway({ name: 'Weather' });
    const headers = { 'accept-language': language };
    const html = await (await gateway.fetch(new Request(authorizeUrl(await registeredClient(gateway)), { headers }))).text();
    expect(html).toContain(`<html lang="${language}" dir="${language === 'ar' ? 'rtl' : 'ltr'}">`);
    const heading = /<h1>(.*)<\/h1>/.exec(html)?.[1] ?? '';
    expect([heading.includes('<bdi class="client">Agent</bdi>'), heading.includes('<bdi>Weather</bdi>')]).toEqual([true, true]);
    for (const text of [texts.loopback, texts.unverified, texts.allow, texts.refuse, texts.scopes]) expect(html).toContain(text);
    expect(html).toContain('<code>127.0.0.1:5000</code>');
    expect(html).not.toMatch(/[{}]\w+}/);
    expect(Object.keys(texts)).toEqual(Object.keys(TRANSLATIONS.get('en') ?? {}));
    const elsewhere = await gateway.fetch(new Request(`${GATEWAY}/oauth/callback?state=x&code=x`, { headers }));
    expect(await elsewhere.text()).toContain(`<p>${texts.ended}</p>`);
  });
});
