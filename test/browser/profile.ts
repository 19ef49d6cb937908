/** A browser profile with tabs of `application/stores.ts`: nothing but stores, and no servers beside. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { applicationServer } from './pages.ts';

interface Profile extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly origin: string;
  /** A tab of the one origin that is ready. */
  tab(): Promise<Page>;
}

export async function profile(browser: Browser): Promise<Profile> {
  const server = await applicationServer({});
  const context = await browser.newContext();
  return {
    context,
    origin: server.origin,
    async tab() {
      const page = await context.newPage();
      await page.goto(`${server.origin}/stores`);
      await page.waitForFunction(() => globalThis.storesPage !== undefined);
      return page;
    },
    async [Symbol.asyncDispose]() {
      await context.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** One that ends with the test. */
export async function profileOfTest(browser: Browser): Promise<Profile> {
  const made = await profile(browser);
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made;
}
