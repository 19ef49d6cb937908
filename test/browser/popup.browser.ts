import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { collectLeaks } from '../fixtures/scripted/secrets.ts';
import { call, chromiumOfFile, lyingAbout, type Scene, scene, started, statusOf, untilStatus } from './scene.ts';

const chromium = chromiumOfFile();

async function popupOf(world: Scene, page: Page): Promise<Page> {
  const opening = world.context.waitForEvent('page');
  await page.click('#sign-in');
  const popup = await opening;
  await popup.waitForSelector('#approve');
  return popup;
}

describe('a login in a popup window', () => {
  it('leaves the page where it is, and the window is closed when it has brought the callback (AUT-04, AUT-09)', async () => {
    const world = await scene(chromium());
    const page = await world.open('/popup');
    const popup = await popupOf(world, page);
    await untilStatus(page, 'awaiting-user');
    // The page that asks cannot send the application elsewhere.
    expect(await popup.evaluate(() => window.opener)).toBeNull();
    const closing = popup.waitForEvent('close');
    await popup.click('#approve');
    await closing;
    await untilStatus(page, 'authorized');
    expect(page.url()).toBe(`${world.application.origin}/popup`);
    expect(await call(page)).toBe(200);
    expect(collectLeaks([await lyingAbout(page), world.console], world.servers.markers)).toEqual([]);
    expect(world.servers.requestsFor('token')).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('says in the page that the user has refused (AUT-06)', async () => {
    const world = await scene(chromium());
    const page = await world.open('/popup');
    const popup = await popupOf(world, page);
    await popup.click('#deny');
    await untilStatus(page, 'failed');
    expect(await statusOf(page)).toMatchObject({ failure: { code: 'authorization_denied' } });
    expect(popup.isClosed()).toBe(true);
  });

  it('is completed by the window itself when the page that opened it is gone (RES-06)', async () => {
    const world = await scene(chromium());
    const page = await world.open('/popup');
    const popup = await popupOf(world, page);
    await untilStatus(page, 'awaiting-user');
    await page.close();
    await popup.click('#approve');
    await popup.waitForURL(/\/popup\/callback/);
    await started(popup);
    expect(await popup.evaluate(() => application.started)).toEqual({ accepted: true });
    expect(popup.url()).toBe(`${world.application.origin}/popup/callback`);
    const next = await world.open('/popup');
    expect(await next.textContent('#status')).toBe('authorized');
    expect(await call(next)).toBe(200);
    expect(world.servers.requestsFor('token')).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('goes on in a page that was reloaded while it waited: same attempt, and no second window (RES-02, RES-07)', async () => {
    const world = await scene(chromium());
    const page = await world.open('/popup');
    const popup = await popupOf(world, page);
    await untilStatus(page, 'awaiting-user');
    const before = await statusOf(page);
    await page.reload();
    await started(page);
    await untilStatus(page, 'awaiting-user');
    expect(await statusOf(page)).toMatchObject({ authorizationUrl: (before as { authorizationUrl?: string }).authorizationUrl });
    expect(world.context.pages()).toHaveLength(2);
    const closing = popup.waitForEvent('close');
    await popup.click('#approve');
    await closing;
    await untilStatus(page, 'authorized');
    expect(world.servers.requestsFor('registration')).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('shows a warning and the address when the browser blocks the window, and takes the callback of any other tab (AUT-04)', async () => {
    const world = await scene(chromium());
    const page = await world.context.newPage();
    await page.addInitScript(() => {
      const open = window.open.bind(window);
      window.open = (...asked) => {
        const opened = open(...asked);
        console.debug(opened === null ? 'blocked' : 'opened');
        return opened;
      };
    });
    // Whatever the driver does in a page counts as a click: it only listens until the window was to open.
    const [said] = await Promise.all([
      page.waitForEvent('console', (message) => /^(blocked|opened)$/.test(message.text())),
      page.goto(`${world.application.origin}/popup?sign-in-at-once`),
    ]);
    expect(said.text()).toBe('blocked');
    await page.waitForFunction(() => application.client.status.warning !== undefined);
    const status = await statusOf(page);
    expect(status).toMatchObject({ step: 'awaiting-user', warning: { code: 'user_agent_failed' } });
    const byHand = await world.context.newPage();
    await byHand.goto((status as { authorizationUrl: string }).authorizationUrl);
    await byHand.click('#approve');
    await untilStatus(page, 'authorized');
    await started(byHand);
    expect(await byHand.evaluate(() => application.started)).toEqual({ accepted: true });
    expect(byHand.url()).toBe(`${world.application.origin}/popup/callback`);
    expect(world.servers.violations).toEqual([]);
  });

  it('closes a window that was not needed (AUT-04)', async () => {
    const world = await scene(chromium());
    const page = await world.open('/popup');
    world.servers.respond(() => true, 404, { times: Number.POSITIVE_INFINITY });
    const opening = world.context.waitForEvent('page');
    await page.click('#sign-in');
    const popup = await opening;
    await expect.poll(() => popup.isClosed()).toBe(true);
    expect((await statusOf(page)).step).toBe('failed');
  });

  it('believes no message of another origin, and no callback of another attempt (AUT-05, SEC-01)', async () => {
    const world = await scene(chromium());
    const stranger = await scene(chromium());
    const page = await world.open('/popup');
    const popup = await popupOf(world, page);
    await untilStatus(page, 'awaiting-user');
    const state = new URL(popup.url()).searchParams.get('state') ?? '';
    const forged = `${world.application.origin}/popup/callback?code=planted&state=${state}`;
    // A frame of another origin beside it, which knows the state and speaks on every channel there is.
    const other = await world.context.newPage();
    await other.goto(`${stranger.application.origin}/redirect`);
    await other.evaluate((callbackUrl) => {
      const message = { kind: 'callback', id: '1', callbackUrl };
      new BroadcastChannel('authchart callbacks').postMessage(message);
    }, forged);
    await page.evaluate((callbackUrl) => {
      const message = { kind: 'callback', id: '1', callbackUrl };
      window.dispatchEvent(new MessageEvent('message', { data: message, origin: 'https://evil.example' }));
    }, forged);
    // A callback of this origin that is none of this attempt's.
    const trap = await world.context.newPage();
    await trap.goto(`${world.application.origin}/popup/callback?code=planted&state=${'x'.repeat(43)}`);
    await started(trap);
    expect(await trap.evaluate(() => application.started)).toMatchObject({ accepted: false, failure: { code: 'callback_not_expected' } });
    await trap.close();
    expect((await statusOf(page)).step).toBe('awaiting-user');
    expect(world.servers.requestsFor('token')).toEqual([]);
    await popup.click('#approve');
    await untilStatus(page, 'authorized');
    expect(world.servers.violations).toEqual([]);
  });
});
