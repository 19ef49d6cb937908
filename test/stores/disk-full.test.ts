/** A disk that takes no more, for real: the operating system lets no file of a process grow beyond a limit. */
import { spawnSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fileStore } from '../../src/stores/file-store.ts';
import { sqliteStore } from '../../src/stores/sqlite-store.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const program = fileURLToPath(new URL('./disk-full-process.ts', import.meta.url));
/** In blocks of 512 bytes, as `ulimit` counts: enough for what is there already. */
const BLOCKS = 400;

interface Said {
  readonly replaced: unknown;
  readonly added: unknown;
  readonly read: unknown;
  readonly lease: unknown;
}

function onFullDisk(kind: string, path: string): Said {
  const command = [`ulimit -f ${BLOCKS} && exec "$0" "$@"`, process.execPath, program, kind, path];
  const { stdout, stderr } = spawnSync('sh', ['-c', ...command], { encoding: 'utf8' });
  expect(stderr).not.toContain('planted-secret');
  return JSON.parse(stdout) as Said;
}

describe('a disk that is full', () => {
  it.each([
    ['file', async () => temporaryDirectory(), (path: string) => fileStore({ directory: path })],
    ['SQLite', async () => join(await temporaryDirectory(), 'logins.sqlite'), (path: string) => sqliteStore({ path })],
  ])(
    'is a coded error of the %s store: what was there stays, can be read, and is replaced once there is room (STO-02)',
    async (kind, makePath, open) => {
      const path = await makePath();
      await open(path).write('a', { n: 'before' });
      const { replaced, added, read, lease } = onFullDisk(kind === 'file' ? 'file' : 'sqlite', path);
      for (const failure of [replaced, added]) expect(failure).toMatchObject({ code: 'store_failed', phase: 'storage', retryable: true });
      expect(JSON.stringify([replaced, added])).not.toContain('planted-secret');
      expect(read).toEqual({ n: 'before' });
      expect(lease).toBe('owner');
      const store = open(path);
      expect((await store.read('a'))?.value).toEqual({ n: 'before' });
      expect(await store.read('b')).toBeUndefined();
      await store.write('a', { n: 'after' });
      expect((await store.read('a'))?.value).toEqual({ n: 'after' });
      if (kind === 'file') expect((await readdir(path)).filter((name) => !/^(lease|record)-\w+\.json$/.test(name))).toEqual([]);
    },
  );
});
