/**
 * The connection of an IndexedDB store: opened when it is first used, closed when a
 * page with a later version wants to change the tables, opened again when the
 * browser has closed it, and one transaction an operation.
 */
import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB, type StoreNames } from 'idb';
import type { Clock } from '../clock.ts';
import { FailureError } from '../failure.ts';
import { indexedDbFailure, isConnectionGone, isEndedByBrowser } from './indexeddb-errors.ts';

export interface RecordRow {
  readonly key: string;
  readonly version: string;
  /** JSON text: what callers hold is not what is stored, and members that are undefined are left out. */
  readonly json: string;
  /** Absent: never. Only what has one is in the index. */
  readonly expiresAtEpochMs?: number;
}

export interface LeaseRow {
  readonly key: string;
  readonly owner: string;
  readonly fence: number;
  readonly expiresAtEpochMs: number;
  /** The Web Lock that its holder's page keeps; see `page-presence.ts`. */
  readonly presence?: string;
}

export interface Tables extends DBSchema {
  records: { key: string; value: RecordRow; indexes: { expiry: number } };
  leases: { key: string; value: LeaseRow; indexes: { expiry: number } };
  /** `fence`: the last that was given. */
  counters: { key: string; value: number };
}

type TableName = StoreNames<Tables>;
type Mode = 'readonly' | 'readwrite';
export type Transaction<Names extends TableName, M extends Mode> = IDBPTransaction<Tables, Names[], M>;

export interface IndexedDbConnection {
  /** All of `work` happens, or nothing of it if it rejects. It may await nothing but the transaction's own requests. */
  transaction<Names extends TableName, M extends Mode, Result>(
    names: readonly Names[],
    mode: M,
    work: (transaction: Transaction<Names, M>) => Promise<Result>,
  ): Promise<Result>;
  close(): Promise<void>;
}

/** Only ever grows; each step of `upgrade` has run in somebody's browser. */
const DATABASE_VERSION = 1;
const TABLES: readonly TableName[] = ['records', 'leases', 'counters'];

/** Opening waits for other pages to let go; some browsers have been seen to wait for ever. */
const OPENS_WITHIN_MS = 10_000;

export function indexedDbConnection(name: string, clock: Clock): IndexedDbConnection {
  let connection: Promise<IDBPDatabase<Tables>> | undefined;

  const open = async (): Promise<IDBPDatabase<Tables>> => {
    const forget = (): void => {
      if (connection === opened) connection = undefined;
    };
    const opened = openTables(name, forget);
    connection = opened;
    opened.catch(forget);
    return opened;
  };

  const connected = async (): Promise<IDBPDatabase<Tables>> => {
    const waited = new AbortController();
    const tooLong = clock.sleep(OPENS_WITHIN_MS, waited.signal, { background: true }).then(() => {
      throw new FailureError('store_failed', 'storage', { reason: `(the database ${name} did not open: another page keeps it)` });
    });
    tooLong.catch(() => undefined);
    try {
      return await Promise.race([connection ?? open(), tooLong]);
    } finally {
      waited.abort('opened');
    }
  };

  const begin = async <Names extends TableName, M extends Mode>(names: readonly Names[], mode: M): Promise<Transaction<Names, M>> => {
    const database = await connected();
    try {
      // What was written is on the disk before anyone acts on it (RES-02).
      return database.transaction([...names], mode, { durability: 'strict' });
    } catch (thrown) {
      database.close();
      connection = undefined;
      throw thrown;
    }
  };

  return {
    async transaction(names, mode, work) {
      const attempt = async () => {
        const transaction = await begin(names, mode).catch((thrown: unknown) => {
          if (!isConnectionGone(thrown)) throw thrown;
          return begin(names, mode);
        });
        return committed(transaction, work);
      };
      try {
        return await attempt().catch((thrown: unknown) => {
          if (!isEndedByBrowser(thrown)) throw thrown;
          return attempt();
        });
      } catch (thrown) {
        throw indexedDbFailure(thrown, name);
      }
    },
    async close() {
      const closing = connection;
      connection = undefined;
      await closing?.then((database) => database.close()).catch(() => undefined);
    },
  };
}

async function openTables(name: string, forget: () => void): Promise<IDBPDatabase<Tables>> {
  if (typeof indexedDB === 'undefined') {
    throw new FailureError('store_failed', 'storage', { reason: '(there is no IndexedDB here)' });
  }
  const database = await openDB<Tables>(name, DATABASE_VERSION, {
    upgrade(created) {
      created.createObjectStore('records', { keyPath: 'key' }).createIndex('expiry', 'expiresAtEpochMs');
      created.createObjectStore('leases', { keyPath: 'key' }).createIndex('expiry', 'expiresAtEpochMs');
      created.createObjectStore('counters');
    },
    // A newer page may change the tables as soon as the older ones have let go of them.
    blocking(_current, _blocked, event) {
      forget();
      (event.target as IDBDatabase).close();
    },
    terminated: forget,
  });
  if (TABLES.every((table) => database.objectStoreNames.contains(table))) return database;
  database.close();
  throw new FailureError('store_failed', 'storage', {
    reason: `The database ${name} belongs to something else; give the store a name of its own.`,
  });
}

async function committed<Names extends TableName, M extends Mode, Result>(
  transaction: Transaction<Names, M>,
  work: (transaction: Transaction<Names, M>) => Promise<Result>,
): Promise<Result> {
  try {
    const [result] = await Promise.all([work(transaction), transaction.done]);
    return result;
  } catch (thrown) {
    try {
      transaction.abort();
    } catch {
      // It has ended by itself.
    }
    // Why it ended says more than the request that noticed: a full disk ends it with QuotaExceededError.
    throw transaction.error ?? thrown;
  }
}
