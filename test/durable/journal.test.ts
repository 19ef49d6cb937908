import { describe, expect, it } from 'vitest';
import { createJournal } from '../../src/durable/journal.ts';
import { FailureError } from '../../src/failure.ts';
import type { JsonObject } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { journalOn, slowStore } from '../helpers/journals.ts';
import { settled, simulatedClock } from '../helpers/simulated-clock.ts';

const outcomeOf = async (promise: Promise<unknown>): Promise<unknown> => {
  let outcome: unknown = 'waits';
  promise.then(
    () => (outcome = 'resolved'),
    (thrown: FailureError) => (outcome = thrown.failure.code),
  );
  await settled();
  return outcome;
};

describe('journal', () => {
  it('stores what was recorded by the time it is flushed', async () => {
    const store = memoryStore();
    const { journal, clock } = journalOn(store);
    await journal.flushed();
    journal.record({ working: 'exchanging' }, { attemptId: 'one' });
    await journal.flushed();
    const checkpoint = { version: 1, value: { working: 'exchanging' }, context: { attemptId: 'one' }, writtenAtEpochMs: clock.now() };
    expect((await store.read('flow/a'))?.value).toEqual(checkpoint);
    expect(await journalOn(store).journal.read()).toEqual(checkpoint);
  });

  it('lets a record end at the instant its context names', async () => {
    const clock = simulatedClock();
    const store = memoryStore({ clock });
    const untilMs = clock.now() + 1_000;
    const expiresAtEpochMs = (context: JsonObject): number => Number(context['untilMs']);
    const journal = createJournal({ store, key: 'flow/a', clock, expiresAtEpochMs, report: () => {} });
    journal.record('waiting', { untilMs });
    await journal.flushed();
    await clock.advance(999);
    expect(await store.read('flow/a')).toBeDefined();
    await clock.advance(1);
    expect(await store.read('flow/a')).toBeUndefined();
  });

  it('has nothing to read before something was recorded', async () => {
    expect(await journalOn(memoryStore()).journal.read()).toBeUndefined();
  });

  it('makes one write of what is recorded in one turn', async () => {
    const { store, writes } = slowStore();
    const { journal } = journalOn(store);
    for (const state of ['a', 'b', 'c']) journal.record(state, {});
    await settled();
    expect(writes.map((write) => write.value)).toEqual(['c']);
  });

  it('writes one at a time, in order, and only the newest of those that wait', async () => {
    const { store, writes } = slowStore();
    const { journal } = journalOn(store);
    journal.record('a', {});
    await settled();
    journal.record('b', {});
    await settled();
    journal.record('c', {});
    await settled();
    expect(writes.map((write) => write.value)).toEqual(['a']);
    writes[0]?.finish();
    await settled();
    expect(writes.map((write) => write.value)).toEqual(['a', 'c']);
    writes[1]?.finish();
    await journal.flushed();
    expect((await journal.read())?.value).toBe('c');
  });

  it('lets a waiter go as soon as what it recorded is stored, not later', async () => {
    const { store, writes } = slowStore();
    const { journal } = journalOn(store);
    journal.record('a', {});
    const first = journal.flushed();
    await settled();
    journal.record('b', {});
    const second = journal.flushed();
    writes[0]?.finish();
    expect(await outcomeOf(first)).toBe('resolved');
    expect(await outcomeOf(second)).toBe('waits');
    writes[1]?.finish();
    expect(await outcomeOf(second)).toBe('resolved');
  });

  it('reports a failed write and lets those who wait for it know', async () => {
    const { store, writes } = slowStore();
    const { journal, reported } = journalOn(store);
    journal.record('a', {});
    const flushed = journal.flushed();
    await settled();
    writes[0]?.fail(new FailureError('store_failed', 'storage', { reason: 'The disk is full.' }));
    expect(await outcomeOf(flushed)).toBe('store_failed');
    expect(await outcomeOf(journal.flushed())).toBe('store_failed');
    expect(reported).toMatchObject([{ code: 'store_failed', details: { reason: 'The disk is full.' } }]);
  });

  it('hides what a foreign error says', async () => {
    const { store, writes } = slowStore();
    const { journal, reported } = journalOn(store);
    journal.record('a', {});
    await settled();
    writes[0]?.fail(new TypeError('planted-secret'));
    expect(await outcomeOf(journal.flushed())).toBe('store_failed');
    expect(JSON.stringify(reported)).not.toContain('planted-secret');
  });

  it('goes on when the report itself fails', async () => {
    const { store, writes } = slowStore();
    const report = (): never => {
      throw new Error('The logger is broken.');
    };
    const journal = createJournal({ store, key: 'flow/a', clock: simulatedClock(), report });
    journal.record('a', {});
    await settled();
    writes[0]?.fail(new Error('once'));
    expect(await outcomeOf(journal.flushed())).toBe('store_failed');
    journal.record('b', {});
    await settled();
    writes[1]?.finish();
    expect(await outcomeOf(journal.flushed())).toBe('resolved');
  });

  it('tries again with the next record, and is then flushed of all before it', async () => {
    const { store, writes } = slowStore();
    const { journal } = journalOn(store);
    journal.record('a', {});
    await settled();
    journal.record('b', {});
    const flushed = journal.flushed();
    writes[0]?.fail(new Error('once'));
    await settled();
    writes[1]?.finish();
    expect(await outcomeOf(flushed)).toBe('resolved');
    expect(await outcomeOf(journal.flushed())).toBe('resolved');
    expect((await journal.read())?.value).toBe('b');
  });

  it('overwrites what is stored, under way and waiting, whoever wrote it', async () => {
    const { store, writes } = slowStore();
    const { journal } = journalOn(store);
    journal.record('a', {});
    await settled();
    journal.record('b', {});
    const overwritten = journal.overwrite('over', {}, Date.now() + 60_000);
    writes[0]?.finish();
    await settled();
    writes[1]?.finish();
    await overwritten;
    await journal.flushed();
    expect(writes.map((write) => write.value)).toEqual(['a', 'over']);
    journal.record('c', {});
    await settled();
    writes[2]?.finish();
    await journal.flushed();
    expect((await journal.read())?.value).toBe('c');
  });

  it('gives up what could not be stored: nobody waits for it any more', async () => {
    const { store, writes } = slowStore();
    const { journal } = journalOn(store);
    journal.record('a', {});
    await settled();
    writes[0]?.fail(new Error('disk full'));
    await expect(journal.flushed()).rejects.toMatchObject({ failure: { code: 'store_failed' } });
    journal.giveUp();
    await journal.flushed();
  });

  it('reports a checkpoint that cannot be read, and leaves it (STO-05)', async () => {
    const store = memoryStore();
    await store.write('flow/a', { version: 9 });
    await expect(journalOn(store).journal.read()).rejects.toMatchObject({ failure: { code: 'record_unreadable' } });
    expect((await store.read('flow/a'))?.value).toEqual({ version: 9 });
  });
});

describe('a journal whose flow another process goes on with', () => {
  it('cannot overwrite its successor, and finds out that it has one (RES-08)', async () => {
    const store = memoryStore();
    const sleeper = journalOn(store).journal;
    sleeper.record('awaitingUser', {});
    await sleeper.flushed();
    expect(await sleeper.isOvertaken()).toBe(false);
    const successor = journalOn(store).journal;
    expect((await successor.read())?.value).toBe('awaitingUser');
    successor.record('exchanging', {});
    await successor.flushed();

    expect(await sleeper.isOvertaken()).toBe(true);
    sleeper.record('failed', {});
    await expect(sleeper.flushed()).rejects.toMatchObject({ failure: { code: 'flow_taken_over' } });
    expect((await successor.read())?.value).toBe('exchanging');
    expect(successor.version).toBe((await store.read('flow/a'))?.version);
  });

  it('refuses to begin where another flow is, and leaves it there', async () => {
    const store = memoryStore();
    await store.write('flow/a', { version: 1 });
    const { journal } = journalOn(store);
    journal.record('discovering', {});
    await expect(journal.flushed()).rejects.toMatchObject({ failure: { code: 'flow_taken_over' } });
    expect((await store.read('flow/a'))?.value).toEqual({ version: 1 });
  });

  it('finds out that its record was deleted', async () => {
    const store = memoryStore();
    const { journal } = journalOn(store);
    journal.record('awaitingUser', {});
    await journal.flushed();
    await store.delete('flow/a');
    expect(await journal.isOvertaken()).toBe(true);
  });
});
