/** An application in a real Chromium, a resource and an authorization server, and a person at the screen. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { Limits } from '../../src/limits.ts';
import { type ListeningServers, type ListenOptions, listeningServers } from '../fixtures/scripted/scripted-servers.ts';
import { launchChromium } from './chromium.ts';
import { type ApplicationServer, applicationServer } from './pages.ts';

/** One Chromium for the tests of a file; each test has a profile of its own. */
export function chromiumOfFile(): () => Browser {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  return () => {
    if (browser === undefined) throw new Error('Chromium has not started.');
    return browser;
  };
}

export interface Scene {
  readonly servers: ListeningServers;
  readonly application: ApplicationServer;
  readonly context: BrowserContext;
  /** Everything any page has written to its console, and every error nobody caught. */
  readonly console: readonly string[];
  /** A tab of the application that has finished starting. */
  open(path: string): Promise<Page>;
}

interface SceneOptions extends ListenOptions {
  readonly limits?: Partial<Limits>;
}

const PAGE_OF_USER = (approve: string, deny: string): string =>
  `<!doctype html><title>Authorization server</title><h1>May the application act for you?</h1>
<a id="approve" href="${approve}">Approve</a> <a id="deny" href="${deny}">Deny</a>`;

export async function scene(browser: Browser, options: SceneOptions = {}): Promise<Scene> {
  const servers = await listeningServers({ cors: true, ...options });
  const application = await applicationServer({ resource: servers.resource.url, limits: options.limits ?? {} });
  const context = await browser.newContext();
  const console: string[] = [];
  context.on('console', (message) => console.push(message.text()));
  context.on('weberror', (error) => console.push(String(error.error())));
  onTestFinished(async () => {
    await context.close();
    await servers.close();
    await application[Symbol.asyncDispose]();
  });
  askTheUser(servers);
  return {
    servers,
    application,
    context,
    console,
    async open(path) {
      const page = await context.newPage();
      await page.goto(`${application.origin}${path}`);
      await started(page);
      return page;
    },
  };
}

/** The authorization endpoint shows a page first, as real ones do; what is clicked there goes on to the scripted server. */
function askTheUser(servers: ListeningServers): void {
  const isFirstLook = (purpose: string, url: URL): boolean => purpose === 'authorization' && !url.searchParams.has('decided');
  servers.respond(
    ({ purpose, url }) => isFirstLook(purpose, url),
    ({ url }) => {
      const decided = (decision: string): string => `${url.pathname}${url.search}&decided=${decision}`.replaceAll('&', '&amp;');
      return new Response(PAGE_OF_USER(decided('yes'), decided('no')), { headers: { 'content-type': 'text/html' } });
    },
    { times: Number.POSITIVE_INFINITY },
  );
  servers.respond(
    ({ purpose, url }) => purpose === 'authorization' && url.searchParams.get('decided') === 'no',
    async (_request, proceed) => {
      const approved = await proceed();
      const callback = new URL(approved.headers.get('location') ?? '');
      callback.searchParams.delete('code');
      callback.searchParams.set('error', 'access_denied');
      return new Response(null, { status: 302, headers: { location: callback.href } });
    },
    { times: Number.POSITIVE_INFINITY },
  );
}

/** The application has done what it does when it is loaded, well or not. */
export async function started(page: Page): Promise<void> {
  await page.waitForFunction(() => globalThis.application !== undefined);
  await page.evaluate(() => globalThis.application.started.catch(() => undefined));
}

/** Until a person sees this status. */
export async function untilStatus(page: Page, step: string): Promise<void> {
  await page.waitForFunction((wanted) => document.getElementById('status')?.textContent === wanted, step);
}

/** The status as code sees it. */
export const statusOf = (page: Page) => page.evaluate(() => globalThis.application.client.status);

/** Sends a request to the resource; the HTTP status of its answer. */
export const call = (page: Page): Promise<number> => page.evaluate(() => globalThis.application.call());

/** Everything a script of this origin can find lying about in the page, but for IndexedDB. */
export const lyingAbout = (page: Page) =>
  page.evaluate(() => ({
    localStorage: { ...localStorage },
    sessionStorage: { ...sessionStorage },
    cookie: document.cookie,
    address: location.href,
    referrer: document.referrer,
    name: window.name,
    history: history.state as unknown,
    document: document.documentElement.outerHTML,
    steps: application.steps,
    status: application.client.status,
    snapshot: JSON.stringify(application.client.actor.getSnapshot().context),
  }));
