import { describe, expect, it } from 'vitest';
import { looseEntries, NEVER } from '../../src/records/loose-entries.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { breakableDeletes } from '../helpers/breakable-store.ts';

async function setup(...entries: readonly string[]) {
  const { store, breakDeletes } = breakableDeletes(memoryStore());
  for (const entry of entries) await store.write(entry, { secret: entry });
  const left = async () => {
    const found = await Promise.all(entries.map(async (entry) => ((await store.read(entry)) === undefined ? [] : [entry])));
    return found.flat();
  };
  return { loose: looseEntries(store), left, breakDeletes };
}

describe('vault entries of which it is not known whether a record points to them', () => {
  it('stay while the record has the version their write was based on: it may yet happen (RFR-02)', async () => {
    const { loose, left } = await setup('old', 'new');
    loose.note('record', 'new', '1');
    loose.note('record', 'old', '1');
    await loose.settle('record', { version: '1', secretKey: 'old' }, loose.moment());
    expect(await left()).toEqual(['old', 'new']);
  });

  it('are deleted once the record has another version, but for the one in force (RFR-02)', async () => {
    const { loose, left } = await setup('old', 'new');
    loose.note('record', 'new', '1');
    loose.note('record', 'old', '1');
    await loose.settle('record', { version: '2', secretKey: 'new' }, loose.moment());
    expect(await left()).toEqual(['new']);
    await loose.forget('record', loose.moment());
    expect(await left()).toEqual(['new']);
  });

  it('are all deleted with a record that is forgotten, and those of no other (OUT-01)', async () => {
    const { loose, left } = await setup('a', 'b', 'other');
    loose.note('record', 'a', null);
    loose.note('record', 'b', '1');
    loose.note('another record', 'other', null);
    await loose.forget('record', loose.moment());
    expect(await left()).toEqual(['other']);
  });

  it('are deleted where no write was ever sent for them, as soon as the vault will (OUT-01)', async () => {
    const { loose, left, breakDeletes } = await setup('a');
    loose.note('record', 'a', NEVER);
    breakDeletes(2);
    await loose.settle('record', undefined, loose.moment());
    expect(await left()).toEqual(['a']);
    await loose.settle('record', undefined, loose.moment());
    expect(await left()).toEqual([]);
  });

  it('are left alone by a look at the record that began before they were noted (RFR-02)', async () => {
    const { loose, left } = await setup('old', 'new');
    const seenAt = loose.moment();
    loose.note('record', 'new', '2');
    loose.note('record', 'old', '2');
    await loose.settle('record', { version: '1' }, seenAt);
    await loose.forget('record', seenAt);
    expect(await left()).toEqual(['old', 'new']);
    await loose.settle('record', { version: '3', secretKey: 'new' }, loose.moment());
    expect(await left()).toEqual(['new']);
  });

  it('stay noted where such a look found them in force: they have been replaced since (OUT-01)', async () => {
    const { loose, left, breakDeletes } = await setup('old');
    const seenAt = loose.moment();
    breakDeletes(2);
    await loose.discard('record', 'old');
    await loose.settle('record', { version: '1', secretKey: 'old' }, seenAt);
    await loose.settle('record', { version: '2' }, loose.moment());
    expect(await left()).toEqual([]);
  });

  it('are asked to be deleted once more where the vault has a bad moment (OUT-01)', async () => {
    const { loose, left, breakDeletes } = await setup('a');
    breakDeletes(1);
    await loose.discard('record', 'a');
    expect(await left()).toEqual([]);
  });
});
