/** The directory of a file store: there when it is needed, and closed to other users. */
import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { FailureError } from '../failure.ts';

const OPEN_TO_OTHERS = 0o077;

/**
 * Makes the directory with mode 0700. One that exists and is open to others is
 * closed if it holds nothing but this store; a home or project directory given by
 * mistake is refused and stays as it is.
 */
export async function prepareDirectory(directory: string, isOurs: (name: string) => boolean): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (process.platform === 'win32') return;
  const { mode } = await stat(directory);
  if ((mode & OPEN_TO_OTHERS) === 0) return;
  if (!(await readdir(directory)).every(isOurs)) {
    throw new FailureError('store_failed', 'storage', {
      reason: `The directory ${directory} holds other files and is open to other users; give the store a directory of its own.`,
    });
  }
  await chmod(directory, 0o700);
}
