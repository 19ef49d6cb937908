/** Errors of SQLite, told apart and made into failures: their texts can quote what was to be stored, so only codes pass. */
import { FailureError } from '../failure.ts';
import { fileFailure } from './file-errors.ts';

/** https://sqlite.org/rescode.html, by number. */
const NAMES: Readonly<Record<number, string>> = {
  1: 'ERROR',
  2: 'INTERNAL',
  3: 'PERM',
  4: 'ABORT',
  5: 'BUSY',
  6: 'LOCKED',
  7: 'NOMEM',
  8: 'READONLY',
  9: 'INTERRUPT',
  10: 'IOERR',
  11: 'CORRUPT',
  12: 'NOTFOUND',
  13: 'FULL',
  14: 'CANTOPEN',
  15: 'PROTOCOL',
  17: 'SCHEMA',
  18: 'TOOBIG',
  19: 'CONSTRAINT',
  20: 'MISMATCH',
  21: 'MISUSE',
  22: 'NOLFS',
  23: 'AUTH',
  25: 'RANGE',
  26: 'NOTADB',
};

const DAMAGED = ['SQLITE_CORRUPT', 'SQLITE_NOTADB'];
/** Another process is at work; the last one is what opening a database under recovery gives. */
const BUSY = ['SQLITE_BUSY', 'SQLITE_LOCKED', 'SQLITE_PROTOCOL'];

/** `SQLITE_BUSY`, `SQLITE_FULL` …; undefined for what did not come from SQLite. */
function sqliteCodeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number') return undefined;
  // The upper bytes say more precisely where it happened.
  const primary = thrown.errcode & 0xff;
  return `SQLITE_${NAMES[primary] ?? primary}`;
}

/** True if the same work can succeed as soon as another process has finished its own. */
export function isBusy(thrown: unknown): boolean {
  return BUSY.includes(sqliteCodeOf(thrown) ?? '');
}

/** A failure that names the error's code and the database file, and nothing of what it held or was to hold. */
export function sqliteFailure(thrown: unknown, path: string): FailureError {
  if (thrown instanceof FailureError) return thrown;
  const code = sqliteCodeOf(thrown);
  if (code === undefined) return fileFailure(thrown, path);
  if (!DAMAGED.includes(code)) return new FailureError('store_failed', 'storage', { reason: `(${code} in ${path})` });
  return new FailureError('record_unreadable', 'storage', { reason: `The database ${path} is damaged (${code}).` });
}
