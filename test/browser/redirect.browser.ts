import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { collectLeaks } from '../fixtures/scripted/secrets.ts';
import { call, chromiumOfFile, lyingAbout, type Scene, scene, started, statusOf, untilStatus } from './scene.ts';

const chromium = chromiumOfFile();

/** The tab has left for the authorization server, and the user reads what it asks. */
async function atAuthorizationServer(page: Page): Promise<string> {
  await page.click('#sign-in');
  await page.waitForSelector('#approve');
  return page.url();
}

async function comesBack(page: Page, decision: 'approve' | 'deny'): Promise<void> {
  await page.click(`#${decision}`);
  await page.waitForURL(/\/redirect\/callback/);
  await started(page);
}

const timesAsked = ({ servers }: Scene): number =>
  servers.requests.filter(({ purpose, url }) => purpose === 'authorization' && !url.searchParams.has('decided')).length;

describe('a login by redirect of the whole page', () => {
  it('survives the reload: the page that comes back completes the attempt that another page began (RES-02, RES-06, AUT-08)', async () => {
    const world = await scene(chromium());
    const page = await world.open('/redirect');
    expect(await page.textContent('#status')).toBe('unauthorized');
    await atAuthorizationServer(page);
    await comesBack(page, 'approve');
    await untilStatus(page, 'authorized');
    expect(await call(page)).toBe(200);
    expect(world.servers.wire().filter((line) => /register|token/.test(line))).toEqual([
      expect.stringMatching(/^POST .*\/register 201$/),
      expect.stringMatching(/^POST .*\/token 200$/),
    ]);
    expect(timesAsked(world)).toBe(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('stays signed in over reloads, new tabs, and requests of any (RES-02)', async () => {
    const world = await scene(chromium());
    const page = await world.open('/redirect');
    await atAuthorizationServer(page);
    await comesBack(page, 'approve');
    await page.reload();
    await started(page);
    expect(await page.textContent('#status')).toBe('authorized');
    expect(await call(page)).toBe(200);
    expect(await call(await world.open('/redirect'))).toBe(200);
    expect(world.servers.requestsFor('token')).toHaveLength(1);
  });

  it('takes the callback out of the address bar and the history as soon as it is stored (SEC-01, RES-08)', async () => {
    const world = await scene(chromium());
    const page = await world.open('/redirect');
    await atAuthorizationServer(page);
    const callback = `${world.application.origin}/redirect/callback`;
    let answer = (): void => {};
    world.servers.respond('token', async (_request, proceed) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return proceed();
    });
    await page.click('#approve');
    // The code is on its way, its answer is held back, and the address is clean already.
    await expect.poll(() => world.servers.requestsFor('token').length).toBe(1);
    await expect.poll(() => page.url()).toBe(callback);
    expect((await statusOf(page)).step).toBe('exchanging');
    answer();
    await untilStatus(page, 'authorized');
    // What the page asks for from now on names a clean address as its referrer, and so does the tab's history.
    await page.evaluate(() => fetch('/elsewhere'));
    expect(world.application.requests.find(({ path }) => path === '/elsewhere')).toMatchObject({ referrer: callback });
    await page.goto(`${world.application.origin}/redirect`);
    await page.goBack();
    expect(page.url()).toBe(callback);
  });

  it('leaves no secret in storage, document, console, status or actor (SEC-01)', async () => {
    const world = await scene(chromium());
    const page = await world.open('/redirect');
    await atAuthorizationServer(page);
    const away = await world.open('/redirect');
    const while_ = await lyingAbout(away);
    await comesBack(page, 'approve');
    expect(await call(page)).toBe(200);
    const outputs = [while_, await lyingAbout(page), await lyingAbout(away), world.console];
    expect(collectLeaks(outputs, world.servers.markers)).toEqual([]);
    for (const { localStorage, sessionStorage, cookie } of [while_, await lyingAbout(page)]) {
      expect({ localStorage, sessionStorage, cookie }).toEqual({ localStorage: {}, sessionStorage: {}, cookie: '' });
    }
    // The browser's own notes of answers that are no success; nothing of ours.
    expect(world.console.filter((text) => !text.startsWith('Failed to load resource:'))).toEqual([]);
  });

  it('waits where the user comes back without an answer: same page, same attempt, and no second redirect (RES-02, AUT-07)', async () => {
    const world = await scene(chromium());
    const page = await world.open('/redirect');
    const asked = await atAuthorizationServer(page);
    await page.goBack();
    await started(page);
    await untilStatus(page, 'awaiting-user');
    expect(await statusOf(page)).toMatchObject({ step: 'awaiting-user', authorizationUrl: asked });
    // Whoever wants to go on does so by the link, and the callback completes the attempt that was begun first.
    await page.click('#continue');
    await page.waitForSelector('#approve');
    expect(page.url()).toBe(asked);
    await comesBack(page, 'approve');
    await untilStatus(page, 'authorized');
    expect(world.servers.requestsFor('registration')).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('is given up by cancelling after the back button, and the old page is worth nothing then (AUT-05, OUT-02)', async () => {
    const world = await scene(chromium());
    const page = await world.open('/redirect');
    await atAuthorizationServer(page);
    await page.goBack();
    await started(page);
    await untilStatus(page, 'awaiting-user');
    await page.evaluate(() => application.client.cancel());
    await untilStatus(page, 'cancelled');
    await page.goForward();
    await page.waitForSelector('#approve');
    await comesBack(page, 'approve');
    expect(await page.evaluate(() => application.started.then(String, (thrown) => thrown.code))).toBe('callback_not_expected');
    expect(world.servers.requestsFor('token')).toEqual([]);
  });

  it('ends in a coded failure when the user refuses, with a clean address (AUT-06)', async () => {
    const world = await scene(chromium());
    const page = await world.open('/redirect');
    await atAuthorizationServer(page);
    await comesBack(page, 'deny');
    expect(await page.evaluate(() => application.started.then(String, (thrown) => thrown.code))).toBe('authorization_denied');
    expect(await statusOf(page)).toMatchObject({ step: 'failed', failure: { code: 'authorization_denied' } });
    expect(page.url()).toBe(`${world.application.origin}/redirect/callback`);
  });

  it('is not completed by a callback with a state of somebody else (AUT-05)', async () => {
    const world = await scene(chromium());
    const page = await world.open('/redirect');
    await atAuthorizationServer(page);
    const trap = await context(world).newPage();
    await trap.goto(`${world.application.origin}/redirect/callback?code=planted&state=${'x'.repeat(43)}`);
    await started(trap);
    expect(await trap.evaluate(() => application.started.then(String, (thrown) => thrown.code))).toBe('callback_not_expected');
    await comesBack(page, 'approve');
    await untilStatus(page, 'authorized');
    expect(world.servers.requestsFor('token')).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('takes no callback twice: the page that is opened again with its old address stays signed in (AUT-05, AUT-09)', async () => {
    const world = await scene(chromium());
    const page = await world.open('/redirect');
    await atAuthorizationServer(page);
    let callback = '';
    page.on('request', (request) => {
      if (request.url().includes('code=')) callback = request.url();
    });
    await comesBack(page, 'approve');
    await untilStatus(page, 'authorized');
    const again = await context(world).newPage();
    await again.goto(callback);
    await started(again);
    await untilStatus(again, 'authorized');
    expect(again.url()).toBe(`${world.application.origin}/redirect/callback`);
    expect(await call(again)).toBe(200);
    expect(world.servers.requestsFor('token')).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('leaves addresses alone that are no callback of its own (AUT-05)', async () => {
    const world = await scene(chromium());
    for (const path of ['/redirect?code=theirs&state=theirs', '/redirect/callback?code=no-state', '/redirect/callback?state=no-code']) {
      const page = await world.open(path);
      expect(await page.textContent('#status')).toBe('unauthorized');
      expect(page.url()).toBe(`${world.application.origin}${path}`);
    }
  });
});

const context = (world: Scene) => world.context;
