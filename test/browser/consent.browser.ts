import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { gatewayScene, served } from './gateway-scene.ts';
import { chromiumOfFile } from './scene.ts';

const chromium = chromiumOfFile();

const ALLOW = 'button[value=allow]';

/** A person at the identity provider. */
async function decideUpstream(page: Page, choice: 'allow' | 'refuse'): Promise<void> {
  await page.waitForURL(/\/interaction\//);
  await page.click(`button[value=${choice}]`);
}

describe('a sign-in through the gateway, in a browser', () => {
  it('goes by consent and the identity provider back to the client, whose code is good (GWY-03, GWY-06)', async () => {
    const scene = await gatewayScene(chromium());
    const { page, context, complaints } = await scene.person();
    await page.goto(await scene.authorizeUrl());
    expect(await context.cookies(`${scene.origin}/oauth/callback`)).toMatchObject([{ httpOnly: true, sameSite: 'Lax' }]);
    await page.click(ALLOW);
    await decideUpstream(page, 'allow');
    await page.waitForURL(/\/callback\?/);
    const [callback] = scene.callbacks;
    expect(callback?.searchParams.get('iss')).toBe(scene.origin);
    const redeemed = await scene.redeem(callback ?? new URL('about:blank'));
    expect([redeemed.status, Object.keys((await redeemed.json()) as object)]).toEqual([200, expect.arrayContaining(['access_token'])]);
    expect(scene.callbacks).toHaveLength(1);
    // Nothing of the sign-in stays behind.
    expect((await context.cookies(`${scene.origin}/oauth/callback`)).filter(({ name }) => name.includes('authchart'))).toEqual([]);
    expect(complaints.filter((text) => /Content Security Policy/.test(text))).toEqual([]);
  });

  it('is over where the person refuses, here or upstream, and the client hears it (GWY-06)', async () => {
    const scene = await gatewayScene(chromium());
    const { page } = await scene.person();
    await page.goto(await scene.authorizeUrl());
    await page.click('button[value=refuse]');
    await page.waitForURL(/\/callback\?/);
    await page.goto(await scene.authorizeUrl());
    await page.click(ALLOW);
    await decideUpstream(page, 'refuse');
    await page.waitForURL(/\/callback\?/);
    expect(
      scene.callbacks.map(({ searchParams }) => [searchParams.get('error'), searchParams.get('iss'), searchParams.has('code')]),
    ).toEqual([
      ['access_denied', scene.origin, false],
      ['access_denied', scene.origin, false],
    ]);
  });

  it('cannot be finished in another browser, and goes on in its own (GWY-06)', async () => {
    const scene = await gatewayScene(chromium());
    const [own, other] = [await scene.person(), await scene.person()];
    const taken = scene.takeCallback();
    await own.page.goto(await scene.authorizeUrl());
    await own.page.click(ALLOW);
    await decideUpstream(own.page, 'allow');
    const callback = await taken;
    const stolen = await other.page.goto(callback);
    expect([stolen?.status(), await other.page.textContent('h1')]).toEqual([403, 'This sign-in cannot go on']);
    expect(scene.callbacks).toEqual([]);
    await own.page.goto(callback);
    await own.page.waitForURL(/\/callback\?code=/);
    expect(scene.callbacks).toHaveLength(1);
  });

  it('that is wrong from the start leads to a web site by a link that the person follows, and not by itself (GWY-05, GWY-06)', async () => {
    const scene = await gatewayScene(chromium());
    const { page } = await scene.person({ locale: 'de' });
    const asked: string[] = [];
    await page.route('https://client.example.com/**', (route) => {
      asked.push(route.request().url());
      return route.fulfill({ body: 'Back at the client' });
    });
    const redirect_uri = 'https://client.example.com/callback';
    await page.goto(await scene.authorizeUrl({ redirect_uris: [redirect_uri] }, { redirect_uri, response_type: 'token' }));
    expect(await page.textContent('a')).toBe('Zurück zu client.example.com');
    expect(asked).toEqual([]);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(/^https:\/\/client\.example\.com\/callback\?error=unsupported_response_type&/);
    expect(asked).toHaveLength(1);
  });

  it('outlives a double click on the button (GWY-06)', async () => {
    const scene = await gatewayScene(chromium());
    const { page } = await scene.person();
    await page.goto(await scene.authorizeUrl());
    await page.dblclick(ALLOW);
    await decideUpstream(page, 'allow');
    await page.waitForURL(/\/callback\?code=/);
    expect(scene.callbacks).toHaveLength(1);
  });
});

describe('the consent page, in a browser', () => {
  it.each(['localhost', '127.0.0.1'])('is shown in no frame, of the same site or another: %s (GWY-06)', async (host) => {
    const scene = await gatewayScene(chromium());
    const url = await scene.authorizeUrl();
    const frame = `<!doctype html><iframe src="${url.replaceAll('&', '&amp;')}"></iframe>`;
    const port = await served(
      () => (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/html' }).end(frame);
      },
      host,
    );
    const { page, complaints } = await scene.person();
    await page.goto(`http://${host}:${port}/`);
    await expect.poll(() => complaints.join('\n')).toMatch(/frame-ancestors|X-Frame-Options/);
    expect(await page.frameLocator('iframe').locator(ALLOW).count()).toBe(0);
  });

  it('runs no script and takes no style but its own, whoever gets one in (GWY-06)', async () => {
    const scene = await gatewayScene(chromium());
    const { page, complaints } = await scene.person();
    await page.route(/\/oauth\/authorize/, async (route) => {
      const response = await route.fetch();
      const injected = '<script>document.title="taken"</script><style>h1{display:none}</style><img src="/x" onerror="document.title=1">';
      await route.fulfill({ response, body: (await response.text()).replace('<form', `${injected}<form`) });
    });
    await page.goto(await scene.authorizeUrl());
    expect(await page.title()).toBe('Allow Agent to use Weather?');
    expect(await page.isVisible('h1')).toBe(true);
    await expect.poll(() => complaints.filter((text) => /Content Security Policy/.test(text)).length).toBeGreaterThanOrEqual(3);
  });

  it('keeps a name that is written from right to left, or turns its direction, to its place (GWY-06)', async () => {
    const scene = await gatewayScene(chromium());
    const { page } = await scene.person({ viewport: { width: 1280, height: 800 } });
    await page.goto(await scene.authorizeUrl({ client_name: 'מסמכים 2 (בטא' }));
    // The words after the name stay right of it.
    const [name, resource] = await page.$$eval('main > p:first-of-type bdi', (found) => found.map((one) => one.getBoundingClientRect().x));
    expect(name).toBeLessThan(resource ?? 0);
    await page.goto(await scene.authorizeUrl({ client_name: '\u202Eelgoog\u2066\u200Fx' }));
    expect(await page.textContent('h1')).toBe('Allow elgoogx to use Weather?');
  });

  it.each([
    ['light', { colorScheme: 'light' }, 'en'],
    ['dark', { colorScheme: 'dark' }, 'en'],
    ['in colours of the person’s own', { forcedColors: 'active' }, 'en'],
    ['from right to left', { colorScheme: 'dark' }, 'ar'],
    ['in another language', { colorScheme: 'light' }, 'ja'],
  ] as const)('is accessible: %s (GWY-06)', async (_, look, locale) => {
    const scene = await gatewayScene(chromium());
    const { page } = await scene.person({ ...look, locale, bypassCSP: true, viewport: { width: 1280, height: 800 } });
    const scope = Array.from({ length: 20 }, (_one, n) => `area-${n}:read`).join(' ');
    const elsewhere = { redirect_uris: ['https://client.example.com/callback'] };
    const malformed = { redirect_uri: 'https://client.example.com/callback', response_type: 'token' };
    const pages = [
      await scene.authorizeUrl({}, { scope }),
      await scene.authorizeUrl(elsewhere, malformed),
      `${scene.origin}/oauth/callback?state=x&code=x`,
    ];
    for (const url of pages) {
      await page.goto(url);
      await page.addScriptTag({ content: axe.source });
      // Colours that the person has chosen are the person's: axe computes with ours.
      const rules = { 'color-contrast': { enabled: !('forcedColors' in look) } };
      const { violations, incomplete } = await page.evaluate((options) => (globalThis as unknown as { axe: typeof axe }).axe.run(options), {
        rules,
      });
      expect([...violations, ...incomplete].map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
    }
  });

  it('is used by keyboard alone: refuse comes first, the focus is seen (GWY-06)', async () => {
    const scene = await gatewayScene(chromium());
    const { page } = await scene.person();
    await page.goto(await scene.authorizeUrl());
    const focused = () =>
      page.evaluate(() => {
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement ?? document.body);
        return [document.activeElement?.getAttribute('value'), outlineStyle, outlineWidth];
      });
    await page.keyboard.press('Tab');
    expect(await focused()).toEqual(['refuse', 'solid', '3px']);
    await page.keyboard.press('Tab');
    expect(await focused()).toEqual(['allow', 'solid', '3px']);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/interaction\//);
  });

  it.each([1280, 640, 360, 320])(
    'fits into %d pixels with the longest name and 20 scopes, and no sideways scrolling (GWY-06)',
    async (width) => {
      const scene = await gatewayScene(chromium());
      const { page } = await scene.person({ viewport: { width, height: 400 } });
      const scope = Array.from(
        { length: 20 },
        (_one, n) => `https://graph.example.com/very-long-area-of-permissions-${n}.readwrite.all`,
      ).join(' ');
      await page.goto(await scene.authorizeUrl({ client_name: 'W'.repeat(80) }, { scope }));
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      await page.click(ALLOW);
      await page.waitForURL(/\/interaction\//);
    },
  );
});
