/** What a store must do with records; part of `store-contract.ts`. */
import { atOnce, CALLERS, type ContractCases, equal, increment, nowOf, SECOND_MS, tryTo, written } from './store-contract-checks.ts';

export const recordCases: ContractCases = {
  'reads nothing where nothing was written': async (store) => {
    equal(await store.read('absent/record'), undefined);
  },

  'returns the value that was written': async (store) => {
    const value = {
      text: 'ünï-cødé ✓ \u2028 "quoted" \\ \n',
      empty: '',
      numbers: [0, -1, 1.5, 1e21, Number.MAX_SAFE_INTEGER],
      flags: [true, false, null],
      nested: { list: [{ deep: [] }], object: {} },
    };
    await store.write('a/record', value);
    equal((await store.read('a/record'))?.value, value);
  },

  'returns large values whole': async (store) => {
    const value = { large: 'x✓'.repeat(100_000) };
    await store.write('a/large', value);
    equal((await store.read('a/large'))?.value, value);
  },

  'leaves out members that are undefined': async (store) => {
    await store.write('a/record', { there: 1, absent: undefined });
    equal((await store.read('a/record'))?.value, { there: 1 });
  },

  'keeps what it stores apart from what callers hold': async (store) => {
    const value = { list: ['first'] };
    await store.write('a/record', value);
    tryTo(() => value.list.push('after writing'));
    const read = (await store.read('a/record'))?.value as { list: string[] };
    tryTo(() => read.list.push('after reading'));
    equal((await store.read('a/record'))?.value, { list: ['first'] });
  },

  'shows every process the same records': async (store, _under, handles) => {
    await store.write('a/record', { from: 'first' });
    equal((await handles(1).read('a/record'))?.value, { from: 'first' });
    await handles(1).write('a/record', { from: 'second' });
    equal((await store.read('a/record'))?.value, { from: 'second' });
  },

  'tells keys apart that look alike': async (store) => {
    const long = `long/${'k'.repeat(600)}`;
    const keys = ['a', 'A', 'a/b', 'a/B', 'a%2Fb', 'a/b/', 'a//b', 'a/..', "a/!'()*~.-_%20", 'a:b', `${long}1`, `${long}2`];
    for (const key of keys) await store.write(key, { key });
    for (const key of keys) equal((await store.read(key))?.value, { key });
  },

  'gives every write a version of its own': async (store) => {
    const versions = new Set([await written(store, 'a', {}), await written(store, 'a', {}), await written(store, 'b', {})]);
    equal(versions.size, 3);
    equal((await store.read('a'))?.version === undefined, false);
  },

  'shows in a read the version of the write': async (store) => {
    const version = await written(store, 'a', { n: 1 });
    equal(await store.read('a'), { value: { n: 1 }, version });
  },

  'writes on the expected version, refuses on any other and shows what is there': async (store) => {
    const first = await written(store, 'a', { n: 1 });
    const second = await written(store, 'a', { n: 2 }, first);
    equal(await store.write('a', { n: 3 }, { expected: first }), { written: false, current: { value: { n: 2 }, version: second } });
    equal((await store.read('a'))?.value, { n: 2 });
  },

  'writes where nothing must be, and nowhere else': async (store) => {
    const version = await written(store, 'a', { n: 1 }, null);
    equal(await store.write('a', { n: 2 }, { expected: null }), { written: false, current: { value: { n: 1 }, version } });
  },

  'refuses a write based on a record that is gone': async (store) => {
    const version = await written(store, 'a', {});
    await store.delete('a');
    equal(await store.write('a', {}, { expected: version }), { written: false, current: undefined });
    equal(await store.read('a'), undefined);
  },

  'never gives a version again, also not after a deletion': async (store) => {
    const first = await written(store, 'a', { n: 1 });
    await store.delete('a');
    await written(store, 'a', { n: 1 }, null);
    equal((await store.write('a', { n: 2 }, { expected: first })).written, false);
  },

  'lets one of many writers win': async (store, _under, handles) => {
    const version = await written(store, 'a', { writer: -1 });
    const results = await atOnce((index) => handles(index).write('a', { writer: index }, { expected: version }));
    const winners = results.flatMap((result, index) => (result.written ? [index] : []));
    equal(winners.length, 1);
    equal((await store.read('a'))?.value, { writer: winners[0] });
  },

  'lets one of many writers create': async (store, _under, handles) => {
    const results = await atOnce((index) => handles(index).write('a', { writer: index }, { expected: null }));
    equal(results.filter((result) => result.written).length, 1);
    equal(await store.read('a').then((record) => record?.value), { writer: results.findIndex((result) => result.written) });
  },

  'loses no update among writers that try again': async (store, _under, handles) => {
    await store.write('a', { count: 0 });
    await atOnce((index) => increment(handles(index), 'a'));
    equal((await store.read('a'))?.value, { count: CALLERS });
  },

  'deletes, and says whether there was something': async (store) => {
    await store.write('a', {});
    equal(await store.delete('a'), true);
    equal(await store.read('a'), undefined);
    equal(await store.delete('a'), false);
  },

  'deletes the expected version only': async (store) => {
    const first = await written(store, 'a', { n: 1 });
    const second = await written(store, 'a', { n: 2 });
    equal(await store.delete('a', { expected: first }), false);
    equal((await store.read('a'))?.value, { n: 2 });
    equal(await store.delete('a', { expected: second }), true);
    equal(await store.read('a'), undefined);
  },

  'takes a record out: then it is gone': async (store) => {
    const version = await written(store, 'a', { n: 1 });
    equal(await store.take('a'), { value: { n: 1 }, version });
    equal(await store.take('a'), undefined);
    equal(await store.read('a'), undefined);
  },

  'gives a record to one of many that take it': async (store, _under, handles) => {
    await store.write('a', { n: 1 });
    const taken = await atOnce((index) => handles(index).take('a'));
    equal(
      taken.filter((record) => record !== undefined).map((record) => record?.value),
      [{ n: 1 }],
    );
  },

  'does not both take a record and write on it': async (store, _under, handles) => {
    for (let round = 0; round < CALLERS; round += 1) {
      const version = await written(store, 'a', { round });
      const [taken, result] = await Promise.all([handles(0).take('a'), handles(1).write('a', { on: round }, { expected: version })]);
      equal(taken?.value, result.written ? { on: round } : { round });
      await store.delete('a');
    }
  },

  'forgets a record at its expiry and not before': async (store, under) => {
    const expiresAtEpochMs = (await nowOf(store)) + 2 * SECOND_MS;
    await store.write('a', { n: 1 }, { expiresAtEpochMs });
    await store.write('b', { n: 1 }, { expiresAtEpochMs });
    equal((await store.read('a'))?.value, { n: 1 });
    await under.advance(2 * SECOND_MS);
    equal(await store.read('a'), undefined);
    equal(await store.take('a'), undefined);
    equal(await store.delete('b'), false);
  },

  'creates where a record has expired': async (store, under) => {
    await store.write('a', { n: 1 }, { expiresAtEpochMs: (await nowOf(store)) + SECOND_MS });
    await under.advance(SECOND_MS);
    await written(store, 'a', { n: 2 }, null);
    equal((await store.read('a'))?.value, { n: 2 });
  },

  'gives a record the expiry of its last write': async (store, under) => {
    const expiresAtEpochMs = (await nowOf(store)) + SECOND_MS;
    await store.write('lasting', { n: 1 }, { expiresAtEpochMs });
    await store.write('lasting', { n: 2 });
    await under.advance(SECOND_MS);
    equal((await store.read('lasting'))?.value, { n: 2 });
  },
};
