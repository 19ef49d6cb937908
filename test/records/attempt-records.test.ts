import { describe, expect, it } from 'vitest';
import { createAttemptRecords } from '../../src/records/attempt-records.ts';
import { digest, recordKey } from '../../src/records/keys.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { atEveryOperation, FAILURE_MODES } from '../helpers/failing-store.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { watchedStore } from '../helpers/watched-store.ts';

const MINUTE_MS = 60_000;
const secrets = (name: string) => ({ verifier: `verifier of ${name}`, state: `state of ${name}` });
const urlOf = (name: string, code = 'code') =>
  `http://127.0.0.1/callback?code=${code}-${name}&state=${encodeURIComponent(`state of ${name}`)}`;

async function setup(names: readonly string[] = ['a']) {
  const clock = simulatedClock();
  const [store, vault] = [watchedStore(memoryStore({ clock })), watchedStore(memoryStore({ clock }))];
  const stores = { store: store.store, vault: vault.store };
  const contents = async () => ({ store: await store.contents(), vault: await vault.contents() });
  const inAnotherProcess = (other: typeof stores = stores) => createAttemptRecords({ ...other, clock });
  const attempts = inAnotherProcess();
  const deadlineEpochMs = clock.now() + 10 * MINUTE_MS;
  for (const name of names)
    await attempts.open(name, secrets(name), { flowKey: `flow of ${name}`, deadlineEpochMs, boundTo: `what ${name} is for` });
  return { clock, stores, contents, attempts, inAnotherProcess, deadlineEpochMs };
}

describe('attempt records', () => {
  it('find the waiting flow by the state of a callback, in any process', async () => {
    const { inAnotherProcess, deadlineEpochMs } = await setup();
    const found = await inAnotherProcess().findByState('state of a');
    expect(found).toEqual({ attemptId: 'a', flowKey: 'flow of a', deadlineEpochMs, used: false });
    expect(await inAnotherProcess().findByState('state of b')).toBeUndefined();
  });

  it('hand a callback on to whoever sends its code', async () => {
    const { attempts, inAnotherProcess } = await setup();
    expect(await attempts.readCallback('a')).toBeUndefined();
    expect(await attempts.takeCallback('a')).toBeUndefined();
    expect(await attempts.acceptCallback('state of a', urlOf('a'))).toBe('accepted');
    expect(await inAnotherProcess().readCallback('a')).toEqual({ ...secrets('a'), callbackUrl: urlOf('a') });
    expect(await inAnotherProcess().takeCallback('a')).toEqual({ ...secrets('a'), callbackUrl: urlOf('a') });
    expect(await attempts.readCallback('a')).toBeUndefined();
  });
});

describe('attempt records and callbacks that must not count', () => {
  it('change nothing for a state that matches no waiting attempt (AUT-05)', async () => {
    const { attempts, contents } = await setup();
    const before = await contents();
    for (const state of ['', 'state of ', 'state of b', 'state of a ', 'STATE OF A', await digest('state of a'), 'a']) {
      expect(await attempts.acceptCallback(state, urlOf('a'))).toBe('unknown');
    }
    expect(await contents()).toEqual(before);
  });

  it('change nothing for a state whose index was bent to another attempt (AUT-05)', async () => {
    const { attempts, stores, contents } = await setup(['a', 'b']);
    const [keyOfA, keyOfB] = [recordKey('state', await digest('state of a')), recordKey('state', await digest('state of b'))];
    await stores.store.write(keyOfA, (await stores.store.read(keyOfB))?.value ?? {});
    const before = await contents();
    expect(await attempts.acceptCallback('state of a', urlOf('a'))).toBe('unknown');
    expect(await contents()).toEqual(before);
  });

  it('accept a state once, and keep the first callback (AUT-05)', async () => {
    const { attempts, inAnotherProcess } = await setup();
    expect(await attempts.acceptCallback('state of a', urlOf('a'))).toBe('accepted');
    expect(await attempts.acceptCallback('state of a', urlOf('a'))).toBe('used');
    expect(await inAnotherProcess().acceptCallback('state of a', urlOf('a', 'injected'))).toBe('used');
    expect((await attempts.findByState('state of a'))?.used).toBe(true);
    expect((await attempts.readCallback('a'))?.callbackUrl).toBe(urlOf('a'));
  });

  it.each([
    ['the same callback', () => urlOf('a')],
    ['different callbacks', (index: number) => urlOf('a', `code ${index}`)],
  ])('accept one of %s that arrive at once (AUT-05)', async (_what, url) => {
    const { attempts, inAnotherProcess } = await setup();
    const urls = Array.from({ length: 10 }, (_, index) => url(index));
    const outcomes = await Promise.all(urls.map((callbackUrl) => inAnotherProcess().acceptCallback('state of a', callbackUrl)));
    expect(outcomes.toSorted()).toEqual(['accepted', ...Array.from({ length: 9 }, () => 'used')]);
    expect((await attempts.readCallback('a'))?.callbackUrl).toBe(urls[outcomes.indexOf('accepted')]);
  });

  it('change nothing after the deadline (AUT-05)', async () => {
    const { clock, attempts, contents } = await setup();
    await clock.advance(10 * MINUTE_MS);
    const before = await contents();
    expect(await attempts.acceptCallback('state of a', urlOf('a'))).toBe('unknown');
    expect(await contents()).toEqual(before);
  });

  it('change nothing after the attempt was closed (AUT-05)', async () => {
    const { attempts, contents } = await setup();
    await attempts.close('a');
    expect(await attempts.acceptCallback('state of a', urlOf('a'))).toBe('unknown');
    expect(await contents()).toEqual({ store: {}, vault: {} });
  });

  it.each(FAILURE_MODES)('lose no callback that the browser repeats, wherever the store failed: %s (AUT-05)', async (mode) => {
    const tried = await atEveryOperation(mode, async (failing) => {
      const { attempts, inAnotherProcess, stores } = await setup();
      const failed = inAnotherProcess(failing(stores));
      const first = await failed.acceptCallback('state of a', urlOf('a')).catch(() => 'failed');
      const second = await attempts.acceptCallback('state of a', urlOf('a'));
      expect([first, second].filter((outcome) => outcome === 'accepted').length).toBeLessThanOrEqual(1);
      expect(second).not.toBe('unknown');
      expect((await attempts.readCallback('a'))?.callbackUrl).toBe(urlOf('a'));
    });
    expect(tried).toBeGreaterThan(3);
  });
});

describe('attempt records of several attempts', () => {
  it('keep verifier, state and callback of each apart (AUT-08)', async () => {
    const { attempts } = await setup(['a', 'b', 'c']);
    expect(await attempts.acceptCallback('state of b', urlOf('b'))).toBe('accepted');
    expect(await attempts.acceptCallback('state of a', urlOf('a'))).toBe('accepted');
    expect(await attempts.takeCallback('b')).toEqual({ ...secrets('b'), callbackUrl: urlOf('b') });
    expect(await attempts.readCallback('c')).toBeUndefined();
    await attempts.close('b');
    expect(await attempts.readCallback('a')).toEqual({ ...secrets('a'), callbackUrl: urlOf('a') });
    expect(await attempts.acceptCallback('state of c', urlOf('c'))).toBe('accepted');
    expect(await attempts.takeCallback('c')).toEqual({ ...secrets('c'), callbackUrl: urlOf('c') });
  });

  it('leave the rest untouched when one is closed (AUT-08)', async () => {
    const { attempts, contents, deadlineEpochMs } = await setup(['a']);
    const before = await contents();
    await attempts.open('b', secrets('b'), { flowKey: 'flow of b', deadlineEpochMs, boundTo: 'what b is for' });
    await attempts.close('b');
    expect(await contents()).toEqual(before);
  });
});

describe('attempt records and the code', () => {
  it('let one of many callers send it (AUT-09)', async () => {
    const { attempts, inAnotherProcess } = await setup();
    await attempts.acceptCallback('state of a', urlOf('a'));
    const taken = await Promise.all(Array.from({ length: 10 }, () => inAnotherProcess().takeCallback('a')));
    expect(taken.filter((callback) => callback !== undefined)).toEqual([{ ...secrets('a'), callbackUrl: urlOf('a') }]);
  });

  it('let nobody send it again, whatever comes later (AUT-09)', async () => {
    const { attempts, contents } = await setup();
    await attempts.acceptCallback('state of a', urlOf('a'));
    await attempts.takeCallback('a');
    expect(await attempts.isOpen('a')).toBe(false);
    expect(await attempts.acceptCallback('state of a', urlOf('a'))).toBe('used');
    expect(await attempts.acceptCallback('state of a', urlOf('a', 'other'))).toBe('used');
    expect(await attempts.takeCallback('a')).toBeUndefined();
    expect(JSON.stringify(await contents())).not.toContain('code-a');
    expect(JSON.stringify(await contents())).not.toContain('verifier of a');
  });

  it('let nobody send it again when a crash had left the state unused (AUT-09)', async () => {
    const { attempts, inAnotherProcess, stores } = await setup();
    const cut = { ...stores.store, write: () => Promise.reject(new Error('killed')) };
    await expect(inAnotherProcess({ ...stores, store: cut }).acceptCallback('state of a', urlOf('a'))).rejects.toThrow('killed');
    expect(await attempts.takeCallback('a')).toBeDefined();
    await attempts.acceptCallback('state of a', urlOf('a'));
    expect(await attempts.takeCallback('a')).toBeUndefined();
  });

  it.each(FAILURE_MODES)('give it out once at most, wherever the store fails: %s (AUT-09)', async (mode) => {
    await atEveryOperation(mode, async (failing) => {
      const { attempts, inAnotherProcess, stores } = await setup();
      await attempts.acceptCallback('state of a', urlOf('a'));
      const first = await inAnotherProcess(failing(stores))
        .takeCallback('a')
        .catch(() => undefined);
      const second = await attempts.takeCallback('a');
      expect([first, second].filter((callback) => callback !== undefined).length).toBeLessThanOrEqual(1);
    });
  });

  it('are empty after the attempt was closed, at whatever point', async () => {
    for (const steps of [0, 1, 2]) {
      const { attempts, contents } = await setup();
      if (steps > 0) await attempts.acceptCallback('state of a', urlOf('a'));
      if (steps > 1) await attempts.takeCallback('a');
      await attempts.close('a');
      expect(await contents()).toEqual({ store: {}, vault: {} });
    }
  });

  it('are gone some time after the deadline, without anyone closing them', async () => {
    const { clock, attempts, contents } = await setup();
    await attempts.acceptCallback('state of a', urlOf('a'));
    await clock.advance(10 * MINUTE_MS);
    expect(await attempts.readCallback('a')).toBeDefined();
    await clock.advance(60 * MINUTE_MS);
    expect(await contents()).toEqual({ store: {}, vault: {} });
  });
});
