/** Errors of the file system, told apart and made into failures. */
import { FailureError, kindOf } from '../failure.ts';

/** The code of a file system error: `ENOENT`, `EACCES`, `ENOSPC` … */
export function errnoOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** Windows refuses to replace or remove a file that another process has open at that moment. */
export function isBusyOnWindows(thrown: unknown): boolean {
  return process.platform === 'win32' && ['EPERM', 'EACCES', 'EBUSY'].includes(errnoOf(thrown) ?? '');
}

/** A failure that names the error's code and the directory, and nothing of what was to be written. */
export function fileFailure(thrown: unknown, directory: string): FailureError {
  if (thrown instanceof FailureError) return thrown;
  const name = errnoOf(thrown) ?? kindOf(thrown);
  return new FailureError('store_failed', 'storage', { reason: `(${name} in ${directory})` });
}
