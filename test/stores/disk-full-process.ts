/** A process whose disk takes no more than a few kilobytes a file: it stores until it cannot, and says how that ended. */
import { fileStore } from '../../src/stores/file-store.ts';
import { sqliteStore } from '../../src/stores/sqlite-store.ts';

const [kind = '', path = ''] = process.argv.slice(2);
const store = kind === 'file' ? fileStore({ directory: path }) : sqliteStore({ path });

const large = { text: 'planted-secret '.repeat(20_000) };
const outcomeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { failure?: unknown; message: string }) => error.failure ?? error.message,
  );

process.stdout.write(
  JSON.stringify({
    replaced: await outcomeOf(store.write('a', large)),
    added: await outcomeOf(store.write('b', large)),
    read: (await store.read('a'))?.value,
    lease: (await store.acquireLease('a', 'owner', 1_000))?.owner,
  }),
);
