/** Errors of database drivers, made into failures: they hold addresses, statements and values, of which a failure shows none. */
import { FailureError } from '../failure.ts';

/** Errors Redis answers with begin with one of these words; any other first word could be a value. */
const REDIS_WORDS =
  /^(ASK|BUSY|CLUSTERDOWN|CROSSSLOT|LOADING|MASTERDOWN|MISCONF|MOVED|NOAUTH|NOPERM|NOREPLICAS|NOSCRIPT|OOM|READONLY|TRYAGAIN|WRONGPASS|WRONGTYPE)\b/;

/** Names of the operating system (`ECONNREFUSED`), of drivers (`CONNECTION_ENDED`), SQLSTATE (`57P01`). */
const CODE = /^[A-Z0-9][A-Z0-9_]{2,40}$/;

/** What kind of error a driver threw: a code, or the word Redis began its answer with. */
export function databaseErrorCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const word = REDIS_WORDS.exec(thrown.message)?.[1];
  if (word !== undefined) return word;
  return 'code' in thrown && typeof thrown.code === 'string' && CODE.test(thrown.code) ? thrown.code : undefined;
}

/** `store_failed` with the error's code or class, and nothing of its text. */
export function databaseFailure(thrown: unknown, database: 'Redis' | 'PostgreSQL'): FailureError {
  if (thrown instanceof FailureError) return thrown;
  return new FailureError('store_failed', 'storage', { reason: `(${databaseErrorCode(thrown) ?? className(thrown)} from ${database})` });
}

function className(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown;
  return /^\w{1,60}$/.exec(thrown.constructor.name)?.[0] ?? 'Error';
}
