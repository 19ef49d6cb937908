import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeFile, encodeFile } from '../../src/stores/file-format.ts';
import { fileStore } from '../../src/stores/file-store.ts';
import { storeContract } from '../../src/stores/store-contract.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const unreadable = { failure: { code: 'record_unreadable', phase: 'storage' } };

describe('file store', () => {
  for (const { title, run } of storeContract) {
    it(`${title} (STO-01)`, async () => {
      const directory = join(await temporaryDirectory(), 'store');
      await run(() => {
        const clock = simulatedClock();
        return { store: fileStore({ directory, clock }), second: fileStore({ directory, clock }), advance: clock.advance };
      });
    });
  }

  it('reads from a directory that is not there without making it', async () => {
    const directory = join(await temporaryDirectory(), 'deep', 'store');
    const store = fileStore({ directory });
    expect(await store.read('a')).toBeUndefined();
    expect(await store.take('a')).toBeUndefined();
    expect(await store.delete('a')).toBe(false);
    await expect(stat(directory)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('makes its directory again when someone deleted it', async () => {
    const directory = join(await temporaryDirectory(), 'store');
    const store = fileStore({ directory });
    await store.write('a', { n: 1 });
    await rm(directory, { recursive: true });
    await store.write('a', { n: 2 });
    expect((await fileStore({ directory }).read('a'))?.value).toEqual({ n: 2 });
  });
});

describe.runIf(process.platform !== 'win32')('file store modes', () => {
  it('gives the directory 0700 and every file 0600', async () => {
    const directory = join(await temporaryDirectory(), 'store');
    const store = fileStore({ directory });
    await store.write('a', { n: 1 });
    await store.acquireLease('a', 'owner', 1_000);
    expect(await modeOf(directory)).toBe(0o700);
    for (const name of await readdir(directory)) expect(await modeOf(join(directory, name))).toBe(0o600);
  });

  it('closes a directory that was open to others', async () => {
    const directory = join(await temporaryDirectory(), 'store');
    await fileStore({ directory }).write('a', { n: 1 });
    await chmod(directory, 0o755);
    await fileStore({ directory }).write('a', { n: 2 });
    expect(await modeOf(directory)).toBe(0o700);
  });

  it('refuses a directory of other things that is open to others, and leaves it as it is', async () => {
    const directory = join(await temporaryDirectory(), 'project');
    await mkdir(directory);
    await chmod(directory, 0o755);
    await writeFile(join(directory, 'package.json'), '{}');
    await expect(fileStore({ directory }).write('a', { n: 1 })).rejects.toMatchObject({
      failure: { code: 'store_failed', details: { reason: expect.stringContaining('a directory of its own') } },
    });
    expect(await readdir(directory)).toEqual(['package.json']);
    expect(await modeOf(directory)).toBe(0o755);
  });
});

describe('file store and files that cannot be read', () => {
  it('detects a file cut at any byte, sets it aside and reports it', async () => {
    const { store, directory, path } = await withOneRecord();
    const whole = await readFile(path);
    for (let length = 0; length < whole.length; length += 1) {
      await writeFile(path, whole);
      await truncate(path, length);
      await expect(store.read('credential/a')).rejects.toMatchObject(unreadable);
      expect(await store.read('credential/a')).toBeUndefined();
    }
    const aside = (await readdir(directory)).filter((name) => name.includes('.damaged-'));
    expect(aside).toHaveLength(whole.length);
    const lengths = await Promise.all(aside.map(async (name) => (await readFile(join(directory, name))).length));
    expect(lengths.sort((a, b) => a - b)).toEqual(Array.from({ length: whole.length }, (_, length) => length));
  });

  it('detects a file changed at any byte', () => {
    const whole = Buffer.from(encodeFile({ key: 'a', version: 'v', value: { secret: 'ünï', n: 1 } }));
    for (let at = 0; at < whole.length; at += 1) {
      for (const change of [0x01, 0x02, 0x20, 0x80]) {
        const changed = Buffer.from(whole);
        changed.writeUInt8(whole.readUInt8(at) ^ change, at);
        expect(decodeFile(changed, 'a').outcome).not.toBe('whole');
      }
    }
  });

  it('names the damaged file and where it went, and nothing of its content', async () => {
    const { store, path } = await withOneRecord();
    await truncate(path, (await stat(path)).size - 5);
    const failure = await store.take('credential/a').catch((thrown: { failure: unknown }) => thrown.failure);
    expect(failure).toMatchObject({
      details: { reason: expect.stringMatching(/set aside as credential-\w+\.json\.damaged-\S+ and no longer counts\.$/) },
    });
    expect(JSON.stringify(failure)).not.toContain('planted-secret');
  });

  it.each(['write', 'take', 'delete', 'acquireLease'] as const)('reports a damaged file on %s and works afterwards', async (operation) => {
    const { store, path, directory } = await withOneRecord();
    await store.acquireLease('credential/a', 'owner', 1_000);
    const [lease = ''] = (await readdir(directory)).filter((name) => name.startsWith('lease-'));
    const damaged = operation === 'acquireLease' ? join(directory, lease) : path;
    await truncate(damaged, 20);
    const again = () =>
      operation === 'acquireLease' ? store.acquireLease('credential/a', 'owner', 1) : store[operation]('credential/a', {});
    await expect(again()).rejects.toMatchObject(unreadable);
    await again();
    expect((await readdir(directory)).filter((name) => name.includes('.damaged-'))).toHaveLength(1);
  });

  it('gives a greater fence after the file that remembered the last was damaged', async () => {
    const clock = simulatedClock();
    const directory = await temporaryDirectory();
    const store = fileStore({ directory, clock });
    const first = await store.acquireLease('a', 'first', 1_000);
    await clock.advance(1_000);
    const [name = ''] = await readdir(directory);
    await truncate(join(directory, name), 30);
    await expect(store.acquireLease('a', 'second', 1_000)).rejects.toMatchObject(unreadable);
    const second = await store.acquireLease('a', 'second', 1_000);
    expect(second?.fence).toBeGreaterThan(first?.fence ?? 0);
  });

  it('sets aside a file that was copied from another record', async () => {
    const { store, directory, path } = await withOneRecord();
    await store.write('credential/b', { n: 2 });
    const [other = ''] = (await readdir(directory)).filter((name) => !path.endsWith(name));
    await copyFile(join(directory, other), path);
    await expect(store.read('credential/a')).rejects.toMatchObject(unreadable);
    expect((await store.read('credential/b'))?.value).toEqual({ n: 2 });
  });

  it('leaves a file of a later format untouched and reports it every time', async () => {
    const { store, directory, path } = await withOneRecord();
    const later = '{"authchart":"record","format":2,"how":"unknown to this version"}\n\u0000\u0001';
    await writeFile(path, later);
    const operations = [
      () => store.read('credential/a'),
      () => store.write('credential/a', {}),
      () => store.write('credential/a', {}, { expected: null }),
      () => store.take('credential/a'),
      () => store.delete('credential/a'),
    ];
    for (const operation of operations) {
      await expect(operation()).rejects.toMatchObject({
        failure: { ...unreadable.failure, details: { reason: expect.stringContaining('format 2') } },
      });
    }
    expect(await readFile(path, 'utf8')).toBe(later);
    expect(await readdir(directory)).toHaveLength(1);
  });
});

describe('file store over time', () => {
  it('removes what has expired and what killed processes left, and nothing else', async () => {
    const clock = simulatedClock();
    const directory = await temporaryDirectory();
    const writer = fileStore({ directory, clock });
    await writer.write('credential/a', { n: 1 });
    await writer.write('state/lasting', { n: 1 }, { expiresAtEpochMs: clock.now() + 10 * 86_400_000 });
    await writer.write('state/expired', { n: 1 }, { expiresAtEpochMs: clock.now() + 1_000 });
    await writer.acquireLease('over', 'owner', 1_000);
    const before = await readdir(directory);
    const [any = ''] = before;
    const left = join(directory, `${any}.0000.tmp`);
    await writeFile(left, 'half a secr');
    await utimes(left, 0, 0);
    await writeFile(join(directory, `${any}.damaged-0`), 'cut');
    await clock.advance(2 * 86_400_000);
    await fileStore({ directory, clock }).write('state/new', { n: 1 }, { expiresAtEpochMs: clock.now() + 1_000 });
    const kinds = (await readdir(directory)).map((name) => name.replace(/-[0-9a-f]{64}/, '')).sort();
    expect(kinds).toEqual([`${any.split('-')[0]}.json.damaged-0`, 'credential.json', 'state.json', 'state.json'].sort());
    expect((await writer.read('state/lasting'))?.value).toEqual({ n: 1 });
  });
});

async function withOneRecord() {
  const directory = await temporaryDirectory();
  const store = fileStore({ directory });
  await store.write('credential/a', { accessToken: 'planted-secret' });
  const [name = ''] = await readdir(directory);
  return { store, directory, path: join(directory, name) };
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}
