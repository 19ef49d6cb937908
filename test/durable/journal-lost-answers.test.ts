import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { journalOn, slowStore } from '../helpers/journals.ts';
import { settled } from '../helpers/simulated-clock.ts';

describe('a journal whose store loses answers', () => {
  it('goes on after a write whose answer was lost, and knows its own (RES-02)', async () => {
    const store = memoryStore();
    let isAnswerLost = true;
    const write: Store['write'] = async (...parameters) => {
      const result = await store.write(...parameters);
      if (!isAnswerLost) return result;
      isAnswerLost = false;
      throw new Error('connection reset');
    };
    const { journal } = journalOn({ ...store, write });
    journal.record('a', { member: 1 });
    await expect(journal.flushed()).rejects.toMatchObject({ failure: { code: 'store_failed' } });
    expect(await journal.isOvertaken()).toBe(false);
    journal.record('b', {});
    await journal.flushed();
    expect((await journal.read())?.value).toBe('b');
  });

  it.each([
    ['first', ['after', 'before']],
    ['second', ['before', 'after']],
  ] as const)('goes on after several writes without an answer of which the %s was carried out (RES-02)', async (_, lost) => {
    const store = memoryStore();
    let writes = 0;
    const write: Store['write'] = async (...parameters) => {
      const mode = lost[writes];
      writes += 1;
      const result = mode === 'before' ? undefined : await store.write(...parameters);
      if (mode !== undefined || result === undefined) throw new Error('connection reset');
      return result;
    };
    const { journal } = journalOn({ ...store, write });
    for (const value of ['a', 'b']) {
      journal.record(value, {});
      await expect(journal.flushed()).rejects.toMatchObject({ failure: { code: 'store_failed' } });
      expect(await journal.isOvertaken()).toBe(false);
    }
    journal.record('c', {});
    await journal.flushed();
    expect((await journal.read())?.value).toBe('c');
  });

  it('goes on after a write that is carried out late, also where the store was read before it was (RES-02)', async () => {
    const { store, writes } = slowStore();
    const { journal } = journalOn(store);
    journal.record('a', {});
    await settled();
    writes[0]?.fail(new Error('connection reset'));
    await expect(journal.flushed()).rejects.toMatchObject({ failure: { code: 'store_failed' } });
    expect(await journal.read()).toBeUndefined();
    writes[0]?.finish();
    await settled();
    journal.record('b', {});
    await settled();
    writes[1]?.finish();
    await settled();
    writes[2]?.finish();
    await journal.flushed();
    expect((await journal.read())?.value).toBe('b');
  });

  it('knows its own where the answer to an overwriting was lost, too (OUT-02)', async () => {
    const store = memoryStore();
    let isAnswerLost = true;
    const write: Store['write'] = async (...parameters) => {
      const result = await store.write(...parameters);
      if (isAnswerLost) throw new Error('connection reset');
      return result;
    };
    const { journal } = journalOn({ ...store, write });
    await expect(journal.overwrite('over', {}, Date.now() + 60_000)).rejects.toThrow('connection reset');
    expect(await journal.isOvertaken()).toBe(false);
    isAnswerLost = false;
    journal.record('next', {});
    await journal.flushed();
    expect((await journal.read())?.value).toBe('next');
  });
});
