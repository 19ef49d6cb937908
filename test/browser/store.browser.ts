import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { storeContract } from '../../src/stores/store-contract.ts';
import { profile, profileOfTest } from './profile.ts';
import { chromiumOfFile } from './scene.ts';

const chromium = chromiumOfFile();

/** What an operation in the page rejects with, as plain data. */
const failureIn = (page: Page, work: () => Promise<unknown>): Promise<unknown> =>
  page.evaluate(`(${work})().then((value) => ({ resolved: value ?? null }), (thrown) => thrown.failure ?? String(thrown))`);

describe('the IndexedDB store in Chromium', () => {
  let page: Page;
  beforeAll(async () => {
    const shared = await profile(chromium());
    page = await shared.tab();
    return () => shared[Symbol.asyncDispose]();
  });
  for (const { title } of storeContract) {
    it(`${title} (STO-01, STO-02)`, async () => {
      await page.evaluate((wanted) => globalThis.storesPage.runCase(wanted), title);
    });
  }
});

describe('an IndexedDB store that meets trouble', () => {
  it('keeps its records when the browser is closed and started again (STO-02)', async () => {
    const { tab } = await profileOfTest(chromium());
    const first = await tab();
    await first.evaluate(() => storesPage.indexedDbStore().write('a', { n: 1 }));
    await first.close();
    const second = await tab();
    expect(await second.evaluate(() => storesPage.indexedDbStore().read('a'))).toMatchObject({ value: { n: 1 } });
  });

  it('says so where a page has no storage, and is retryable (STO-02)', async () => {
    const { tab, origin } = await profileOfTest(chromium());
    const page = await tab();
    // An origin of its own that may store nothing, as with blocked site data.
    await page.evaluate(
      (source) =>
        new Promise((resolve) => {
          const frame = document.createElement('iframe');
          frame.setAttribute('sandbox', 'allow-scripts');
          frame.src = source;
          frame.addEventListener('load', resolve);
          document.body.append(frame);
        }),
      `${origin}/stores`,
    );
    const frame = page.frames().find((one) => one !== page.mainFrame());
    await frame?.waitForFunction(() => globalThis.storesPage !== undefined);
    const failed = await frame?.evaluate(() =>
      storesPage
        .indexedDbStore()
        .read('a')
        .catch((thrown) => thrown.failure),
    );
    expect(failed).toMatchObject({
      code: 'store_failed',
      retryable: true,
      details: { reason: '(SecurityError in the database authchart)' },
    });
  });

  it('reports a full disk by its name, and keeps what is there (STO-02)', async () => {
    const { tab } = await profileOfTest(chromium());
    const page = await tab();
    await page.evaluate(() => storesPage.indexedDbStore().write('a', { n: 1 }));
    // The quota that developer tools set does not reach IndexedDB.
    await page.evaluate(() => {
      IDBObjectStore.prototype.put = () => {
        throw new DOMException('planted-secret', 'QuotaExceededError');
      };
    });
    const failed = await failureIn(page, () => storesPage.indexedDbStore().write('a', { n: 2 }));
    expect(failed).toMatchObject({ code: 'store_failed', details: { reason: '(QuotaExceededError in the database authchart)' } });
    expect(JSON.stringify(failed)).not.toContain('planted-secret');
    expect(await page.evaluate(() => storesPage.indexedDbStore().read('a'))).toMatchObject({ value: { n: 1 } });
  });

  it('lets a page with a later version change the tables, and reports them from then on (STO-05)', async () => {
    const { tab } = await profileOfTest(chromium());
    const [older, newer] = [await tab(), await tab()];
    await older.evaluate(async () => {
      const store = storesPage.indexedDbStore();
      storesPage.stores['kept'] = store;
      await store.write('a', { n: 1 });
    });
    await newer.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const opening = indexedDB.open('authchart', 2);
          opening.addEventListener('error', reject);
          opening.addEventListener('success', () => {
            opening.result.close();
            resolve(undefined);
          });
        }),
    );
    expect(await failureIn(older, async () => storesPage.stores['kept']?.read('a'))).toMatchObject({
      code: 'record_unreadable',
      retryable: false,
    });
    // Nothing was taken away from the newer version.
    const rows = await newer.evaluate(
      () =>
        new Promise((resolve) => {
          indexedDB.open('authchart', 2).addEventListener('success', ({ target }) => {
            const { result } = target as IDBOpenDBRequest;
            const asked = result.transaction('records').objectStore('records').getAllKeys();
            asked.addEventListener('success', () => resolve(asked.result));
          });
        }),
    );
    expect(rows).toEqual(['a']);
  });

  it('goes on, empty, after the browser has thrown its data away, and gives greater fences (STO-02)', async () => {
    const { tab, context, origin } = await profileOfTest(chromium());
    const page = await tab();
    const before = await page.evaluate(async () => {
      const store = storesPage.indexedDbStore();
      storesPage.stores['kept'] = store;
      await store.write('a', { n: 1 });
      return store.acquireLease('a', 'first', 60_000);
    });
    const devTools = await context.newCDPSession(page);
    await devTools.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
    expect(await page.evaluate(() => storesPage.stores['kept']?.read('a').then((record) => record ?? 'nothing'))).toBe('nothing');
    const after = await page.evaluate(() => storesPage.stores['kept']?.acquireLease('a', 'second', 60_000));
    expect(after?.fence).toBeGreaterThan(before?.fence ?? Number.POSITIVE_INFINITY);
  });

  it('leaves a record alone that was changed by hand, also when it is taken (STO-05)', async () => {
    const { tab } = await profileOfTest(chromium());
    const page = await tab();
    await page.evaluate(async () => {
      await storesPage.indexedDbStore().write('a', { n: 1 });
      await new Promise((resolve) => {
        indexedDB.open('authchart').addEventListener('success', ({ target }) => {
          const { result } = target as IDBOpenDBRequest;
          const rows = result.transaction('records', 'readwrite').objectStore('records');
          rows.put({ key: 'a', version: 'v', json: '{"planted-secret":' }).addEventListener('success', resolve);
        });
      });
    });
    for (const work of [() => storesPage.indexedDbStore().take('a'), () => storesPage.indexedDbStore().read('a')]) {
      const failed = await failureIn(page, work);
      expect(failed).toMatchObject({ code: 'record_unreadable', details: { reason: '(in the database authchart)' } });
      expect(JSON.stringify(failed)).not.toContain('planted-secret');
    }
  });

  it("leaves another program's database alone (STO-02, STO-05)", async () => {
    const { tab } = await profileOfTest(chromium());
    const page = await tab();
    await page.evaluate(
      () =>
        new Promise((resolve) => {
          const opening = indexedDB.open('theirs', 1);
          opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore('things'));
          opening.addEventListener('success', () => {
            opening.result.close();
            resolve(undefined);
          });
        }),
    );
    expect(await failureIn(page, () => storesPage.indexedDbStore({ name: 'theirs' }).write('a', {}))).toMatchObject({
      code: 'store_failed',
    });
  });

  it('opens again after it was closed, and forgets expired records that nobody asks for (STO-02)', async () => {
    const { tab } = await profileOfTest(chromium());
    const page = await tab();
    const keys = await page.evaluate(async () => {
      let laterMs = 0;
      const clock = { now: () => Date.now() + laterMs, sleep: () => new Promise<void>(() => {}) };
      const store = storesPage.indexedDbStore({ clock });
      for (let index = 0; index < 20; index += 1) await store.write(`old/${index}`, {}, { expiresAtEpochMs: clock.now() + 1_000 });
      await store.write('lasting', {});
      await store.close();
      laterMs = 3_600_000;
      await store.write('new', {}, { expiresAtEpochMs: clock.now() + 1_000 });
      return new Promise((resolve) => {
        indexedDB.open('authchart').addEventListener('success', ({ target }) => {
          const { result } = target as IDBOpenDBRequest;
          const asked = result.transaction('records').objectStore('records').getAllKeys();
          asked.addEventListener('success', () => resolve(asked.result));
        });
      });
    });
    expect(keys).toEqual(['lasting', 'new']);
  });
});
