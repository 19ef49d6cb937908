import files, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { describe, expect, it, vi } from 'vitest';
import { fileStore } from '../../src/stores/file-store.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const ofFiles = ['open', 'rename', 'unlink', 'readFile', 'mkdir'] as const;
const ofHandles = ['writeFile', 'sync'] as const;
type Operation = 'link' | (typeof ofFiles)[number] | (typeof ofHandles)[number];

const cases = [...ofFiles, ...ofHandles].flatMap((operation) => ['ENOSPC', 'EACCES', 'EIO'].map((code) => ({ operation, code })));

describe('file store on a disk that fails', () => {
  it.each(cases)('reports $code of $operation, keeps what was there and works again afterwards', async ({ operation, code }) => {
    const directory = await temporaryDirectory();
    await fileStore({ directory }).write('a', { n: 'before' });
    const store = fileStore({ directory });

    const mend = breakFiles(operation, code);
    const failure = await store.write('a', { token: 'planted-secret' }).catch((thrown: { failure: unknown }) => thrown.failure);
    mend();

    const reason = `(${code} in ${directory})`;
    expect(failure).toMatchObject({ code: 'store_failed', phase: 'storage', retryable: true, details: { reason } });
    expect(JSON.stringify(failure)).not.toContain('planted-secret');
    // Only the lock is removed after the record was replaced: that write has happened.
    expect((await store.read('a'))?.value).toEqual(operation === 'unlink' ? { token: 'planted-secret' } : { n: 'before' });
    await store.write('a', { n: 'after' });
    expect((await store.read('a'))?.value).toEqual({ n: 'after' });
    // A prepared file that could not be removed is swept later.
    expect((await files.readdir(directory)).filter((name) => !name.endsWith('.tmp'))).toHaveLength(1);
  });

  it.each(['EPERM', 'ENOTSUP'])('works where there are no hard links (%s)', async (code) => {
    const directory = await temporaryDirectory();
    const mend = breakFiles('link', code);
    const store = fileStore({ directory });
    await store.write('a', { n: 1 });
    expect((await store.take('a'))?.value).toEqual({ n: 1 });
    mend();
    expect(await files.readdir(directory)).toEqual([]);
  });

  it('reports a directory that cannot be made', async () => {
    const parent = await temporaryDirectory();
    await files.writeFile(`${parent}/file`, '');
    const directory = `${parent}/file/store`;
    await expect(fileStore({ directory }).write('a', {})).rejects.toMatchObject({
      failure: { code: 'store_failed', details: { reason: `(ENOTDIR in ${directory})` } },
    });
  });
});

/** Lets every such operation fail as a full or closed disk does; returns what mends it. */
function breakFiles(operation: Operation, code: string): () => void {
  const error = Object.assign(new Error(`${code}: the disk fails`), { code });
  const isOfFiles = (name: Operation): name is 'link' | (typeof ofFiles)[number] =>
    name === 'link' || ofFiles.some((known) => known === name);
  const open = files.open;
  const spy = isOfFiles(operation)
    ? vi.spyOn(files, operation).mockRejectedValue(error)
    : vi.spyOn(files, 'open').mockImplementation(async (...args) => {
        const handle: FileHandle = await open(...args);
        return Object.assign(handle, { [operation]: () => Promise.reject(error) });
      });
  syncBuiltinESMExports();
  return () => {
    spy.mockRestore();
    syncBuiltinESMExports();
  };
}
