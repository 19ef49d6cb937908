/** Errors of IndexedDB, made into failures: the name says what happened, the text may hold anything. */
import { FailureError, kindOf } from '../failure.ts';

/** A failure that names the kind of error and the database, and nothing of what it held or was to hold. */
export function indexedDbFailure(thrown: unknown, database: string): FailureError {
  if (thrown instanceof FailureError) return thrown;
  const kind = kindOf(thrown);
  if (kind === 'VersionError') {
    return new FailureError('record_unreadable', 'storage', {
      reason: `The database ${database} was opened by a page with a newer version of authchart: reload this page.`,
    });
  }
  return new FailureError('store_failed', 'storage', { reason: `(${kind} in the database ${database})` });
}

/** The connection was closed between two operations, by another page or by the browser: nothing has begun on it. */
export function isConnectionGone(thrown: unknown): boolean {
  return kindOf(thrown) === 'InvalidStateError';
}

/** The browser closed the connection under a transaction, to throw the data of the site away: nothing of it has happened. */
export function isEndedByBrowser(thrown: unknown): boolean {
  return kindOf(thrown) === 'AbortError';
}
