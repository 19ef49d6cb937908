/** What an open store is, and the driver of its database, which the user has installed. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Store } from '../../stores/contract.ts';
import { Ended } from '../ended.ts';
import { EXIT_CODES } from '../exit-codes.ts';

export interface OpenStore {
  readonly store: Store;
  /** What a person calls it, without the URL, which may hold a password. */
  readonly name: string;
  /** Its tables are still to be made: a check does not. */
  readonly isEmpty: boolean;
  close(): Promise<void>;
}

/** The gateway must not wait for a store that is down: its answers are 503 then, and it is there when the store is. */
export const CONNECT_MS = 5_000;

export interface Driver {
  readonly name: string;
  readonly module: unknown;
}

/** From the working directory: authchart itself may be installed elsewhere, and brings no driver. */
export async function driver(directory: string, names: readonly string[], database: string): Promise<Driver> {
  const require = createRequire(pathToFileURL(join(directory, 'package.json')));
  for (const name of names) {
    let path: string;
    try {
      path = require.resolve(name);
    } catch {
      continue;
    }
    return { name, module: await import(pathToFileURL(path).href) };
  }
  throw new Ended(
    EXIT_CODES.usage,
    'driver_missing',
    `--store needs a driver for ${database}, and none is installed in the working directory.`,
    `Install one there: npm install ${names.join(', or npm install ')}.`,
  );
}
