import { describe, expect, it } from 'vitest';
import { profileOfTest } from './profile.ts';
import { chromiumOfFile } from './scene.ts';

const chromium = chromiumOfFile();

describe('leases of tabs', () => {
  it('are free as soon as their tab is closed, however long they run, and not before (RES-08, STO-01)', async () => {
    const { tab } = await profileOfTest(chromium());
    const [holder, next] = [await tab(), await tab()];
    const lost = await holder.evaluate(() => storesPage.indexedDbStore().acquireLease('a', 'first', 3_600_000));
    const tryNext = () => next.evaluate(() => storesPage.indexedDbStore().acquireLease('a', 'second', 3_600_000));
    expect(await tryNext()).toBeUndefined();
    await holder.close();
    const taken = await expect
      .poll(tryNext)
      .toBeDefined()
      .then(() => tryNext());
    expect(taken).toMatchObject({ owner: 'second' });
    expect(taken?.fence).toBeGreaterThan(lost?.fence ?? Number.POSITIVE_INFINITY);
  });

  it('are free as soon as their tab has gone to another page (RES-08, STO-01)', async () => {
    const { tab } = await profileOfTest(chromium());
    const [holder, next] = [await tab(), await tab()];
    await holder.evaluate(() => storesPage.indexedDbStore().acquireLease('a', 'first', 3_600_000));
    await holder.goto('about:blank');
    await expect.poll(() => next.evaluate(() => storesPage.indexedDbStore().acquireLease('a', 'second', 1_000))).toBeDefined();
  });

  it('keep no lock once they are released, so that pages can be kept for the back button (STO-02)', async () => {
    const { tab } = await profileOfTest(chromium());
    const page = await tab();
    const locks = await page.evaluate(async () => {
      const count = async () => (await navigator.locks.query()).held?.length;
      const store = storesPage.indexedDbStore();
      const first = await store.acquireLease('a', 'first', 60_000);
      const second = await store.acquireLease('b', 'first', 60_000);
      await store.acquireLease('b', 'first', 60_000);
      await store.acquireLease('b', 'other', 60_000);
      const held = await count();
      for (const lease of [first, second]) if (lease !== undefined) await store.releaseLease(lease);
      return [held, await count()];
    });
    expect(locks).toEqual([1, 0]);
  });

  it('run until their end where a browser has no Web Locks (STO-01)', async () => {
    const { tab } = await profileOfTest(chromium());
    const [holder, next] = [await tab(), await tab()];
    for (const page of [holder, next]) await page.evaluate(() => Object.defineProperty(navigator, 'locks', { value: undefined }));
    await holder.evaluate(() => storesPage.indexedDbStore().acquireLease('a', 'first', 3_600_000));
    await holder.close();
    expect(await next.evaluate(() => storesPage.indexedDbStore().acquireLease('a', 'second', 1_000))).toBeUndefined();
  });
});

describe('a sealing key of the browser', () => {
  it('is one for all tabs, cannot be read out, and seals a vault (STO-03)', async () => {
    const { tab } = await profileOfTest(chromium());
    const [first, second] = [await tab(), await tab()];
    const refused = await first.evaluate(async () => {
      const key = await storesPage.browserSealingKey();
      const vault = storesPage.sealed(storesPage.indexedDbStore(), { keys: { here: key }, current: 'here' });
      await vault.write('vault/a', { accessToken: 'planted-secret' });
      return crypto.subtle.exportKey('raw', key).catch((thrown) => thrown.name);
    });
    expect(refused).toBe('InvalidAccessError');
    const seen = await second.evaluate(async () => {
      const key = await storesPage.browserSealingKey();
      const store = storesPage.indexedDbStore();
      const vault = storesPage.sealed(store, { keys: { here: key }, current: 'here' });
      return { opened: (await vault.read('vault/a'))?.value, stored: JSON.stringify(await store.read('vault/a')) };
    });
    expect(seen.opened).toEqual({ accessToken: 'planted-secret' });
    expect(seen.stored).not.toContain('planted-secret');
  });
});
