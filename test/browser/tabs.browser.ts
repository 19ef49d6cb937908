import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { call, chromiumOfFile, type Scene, scene, started, statusOf, untilStatus } from './scene.ts';

const chromium = chromiumOfFile();

async function signIn(page: Page): Promise<void> {
  await page.click('#sign-in');
  await page.click('#approve');
  await page.waitForURL(/\/redirect\/callback/);
  await started(page);
  await untilStatus(page, 'authorized');
}

/** Long for a test, so that nothing but the end of a tab can free a lease. */
const NEVER_MS = 3_600_000;
const LATER_MS = 2 * 3_600_000;

async function signedInTabs(world: Scene, count: number): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for (let index = 0; index < count; index += 1) pages.push(await world.open('/redirect'));
  const [first] = pages;
  if (first !== undefined) await signIn(first);
  return pages;
}

const refreshes = ({ servers }: Scene): number =>
  servers.requestsFor('token').filter(({ form }) => form.get('grant_type') === 'refresh_token').length;

describe('several tabs of one application', () => {
  it('refresh an expired token once, with a server that ends the grant at the second use of a refresh token (RFR-05, RFR-02)', async () => {
    let laterMs = 0;
    const world = await scene(chromium(), { now: () => Date.now() + laterMs });
    const tabs = await signedInTabs(world, 2);
    laterMs = LATER_MS;
    for (const tab of tabs) {
      await tab.evaluate((later) => {
        application.laterMs = later;
      }, LATER_MS);
    }
    world.servers.respond('token', async (_request, proceed) => {
      // Long enough for the other tab to want it, too.
      await expect
        .poll(
          async () => (await statusOf(tabs[1] as Page)).step === 'refreshing' && (await statusOf(tabs[0] as Page)).step === 'refreshing',
        )
        .toBe(true);
      return proceed();
    });
    expect(await Promise.all(tabs.map(call))).toEqual([200, 200]);
    expect(refreshes(world)).toBe(1);
    expect(await Promise.all(tabs.map(call))).toEqual([200, 200]);
    expect(world.servers.violations).toEqual([]);
  });

  it('refresh once when both are told that the token has ended (RFR-05, FET-06)', async () => {
    const world = await scene(chromium());
    const tabs = await signedInTabs(world, 2);
    expect(await Promise.all(tabs.map(call))).toEqual([200, 200]);
    world.servers.authorizationServer.expireAccessTokens();
    expect(await Promise.all(tabs.map(call))).toEqual([200, 200]);
    expect(refreshes(world)).toBe(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('are signed in by a login in one of them, and signed out again, without a request (STO-02, OUT-01)', async () => {
    const world = await scene(chromium());
    const [first, second, third] = [await world.open('/redirect'), await world.open('/redirect'), await world.open('/popup')];
    for (const tab of [second, third]) expect(await tab.textContent('#status')).toBe('unauthorized');
    await signIn(first);
    for (const tab of [second, third]) await untilStatus(tab, 'authorized');
    expect(await call(second)).toBe(200);
    await third.evaluate(() => application.client.signOut());
    for (const tab of [first, second, third]) await untilStatus(tab, 'unauthorized');
    expect(await call(second).catch((thrown: Error) => thrown.message)).not.toBe(200);
    expect(world.servers.violations).toEqual([]);
  });

  it('ask the user once: the tab that wants it second shows the same page, opens no window and is signed in with the first (AUT-08, RES-02)', async () => {
    const world = await scene(chromium());
    const [first, second] = [await world.open('/popup'), await world.open('/popup')];
    const [popup] = await Promise.all([world.context.waitForEvent('page'), first.click('#sign-in')]);
    await popup.waitForSelector('#approve');
    const [unneeded] = await Promise.all([world.context.waitForEvent('page'), second.click('#sign-in')]);
    await untilStatus(second, 'awaiting-other');
    await expect.poll(() => unneeded.isClosed()).toBe(true);
    expect(await statusOf(second)).toMatchObject({ authorizationUrl: popup.url() });
    const waiting = call(second);
    await popup.click('#approve');
    for (const tab of [first, second]) await untilStatus(tab, 'authorized');
    expect(await waiting).toBe(200);
    expect(world.servers.requestsFor('registration')).toHaveLength(1);
    expect(world.servers.requestsFor('token')).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('go on with the login of a tab that was closed meanwhile: same page, and its callback is heard (RES-02, RES-08)', async () => {
    const world = await scene(chromium(), { limits: { leaseMs: NEVER_MS } });
    const [first, second] = [await world.open('/popup'), await world.open('/popup')];
    const [popup] = await Promise.all([world.context.waitForEvent('page'), first.click('#sign-in')]);
    await popup.waitForSelector('#approve');
    const waiting = call(second);
    await untilStatus(second, 'awaiting-other');
    await first.close();
    await untilStatus(second, 'awaiting-user');
    expect(await statusOf(second)).toMatchObject({ authorizationUrl: popup.url() });
    await popup.click('#approve');
    expect(await waiting).toBe(200);
    await expect.poll(() => popup.isClosed()).toBe(true);
    expect(world.servers.requestsFor('token')).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('leave the login to each other when one of them is sent away for it (RES-06, AUT-08)', async () => {
    const world = await scene(chromium(), { limits: { leaseMs: NEVER_MS } });
    const [away, waiting] = [await world.open('/redirect'), await world.open('/redirect')];
    await away.click('#sign-in');
    await away.waitForSelector('#approve');
    const answered = call(waiting);
    await untilStatus(waiting, 'awaiting-user');
    expect(await statusOf(waiting)).toMatchObject({ authorizationUrl: away.url() });
    await away.click('#approve');
    await away.waitForURL(/\/redirect\/callback/);
    await started(away);
    for (const tab of [away, waiting]) await untilStatus(tab, 'authorized');
    expect(await answered).toBe(200);
    expect(away.url()).toBe(`${world.application.origin}/redirect/callback`);
    expect(world.servers.requestsFor('token')).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('succeed a tab that is closed while it refreshes (RES-08, RFR-05)', async () => {
    let laterMs = 0;
    const world = await scene(chromium(), { now: () => Date.now() + laterMs, limits: { leaseMs: NEVER_MS, leaseWaitMs: NEVER_MS } });
    const [dying, other] = (await signedInTabs(world, 2)) as [Page, Page];
    laterMs = LATER_MS;
    for (const tab of [dying, other]) {
      await tab.evaluate((later) => {
        application.laterMs = later;
      }, LATER_MS);
    }
    let isAsked = false;
    world.servers.respond('token', ({ signal }) => {
      isAsked = true;
      return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    });
    const lost = call(dying).catch(() => 'lost');
    await expect.poll(() => isAsked).toBe(true);
    const answered = call(other);
    await untilStatus(other, 'refreshing');
    await dying.close();
    expect(await lost).toBe('lost');
    expect(await answered).toBe(200);
    expect(refreshes(world)).toBe(2);
    expect(world.servers.violations).toEqual([]);
  });
});
