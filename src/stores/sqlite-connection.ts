/** A connection that opens when it is needed, waits for other processes, and is made anew after an error of SQLite's. */
import { setTimeout as pause } from 'node:timers/promises';
import { FailureError } from '../failure.ts';
import { type Connection, openDatabase, type Statements } from './sqlite-database.ts';
import { isBusy, sqliteFailure } from './sqlite-errors.ts';

export interface PatientConnection {
  /** Rejects with a `FailureError`; what `work` did has then not happened. It may be called more than once. */
  transaction<Result>(kind: 'read' | 'write', work: (statements: Statements) => Result): Promise<Result>;
  close(): Promise<void>;
}

/** Longer than any process of ours holds the database, unless it hangs. */
const PATIENCE_MS = 5_000;
const LONGEST_PAUSE_MS = 20;

export function patientConnection(path: string): PatientConnection {
  let opened: Promise<Connection> | undefined;

  const connect = (): Promise<Connection> => {
    if (opened !== undefined) return opened;
    const opening = openDatabase(path);
    opened = opening;
    opening.catch(() => {
      if (opened === opening) opened = undefined;
    });
    return opening;
  };

  const attempt = async <Result>(kind: 'read' | 'write', work: (statements: Statements) => Result): Promise<Result> => {
    const opening = connect();
    const connection = await opening;
    // Another operation may have closed it meanwhile.
    if (opened !== opening) return attempt(kind, work);
    try {
      return connection.transaction(kind, work);
    } catch (thrown) {
      if (!isBusy(thrown) && !(thrown instanceof FailureError)) {
        opened = undefined;
        connection.close();
      }
      throw thrown;
    }
  };

  return {
    async transaction(kind, work) {
      const untilMs = performance.now() + PATIENCE_MS;
      for (;;) {
        try {
          return await attempt(kind, work);
        } catch (thrown) {
          if (!isBusy(thrown) || performance.now() > untilMs) throw sqliteFailure(thrown, path);
        }
        await pause(1 + Math.random() * LONGEST_PAUSE_MS);
      }
    },

    async close() {
      const closing = opened;
      opened = undefined;
      await closing?.then(
        (connection) => connection.close(),
        () => undefined,
      );
    },
  };
}
