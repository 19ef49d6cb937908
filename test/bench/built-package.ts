/** The package as it is published, built anew for the benchmark so that no stale `dist` is measured. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'tsdown';
import packageConfig from '../../tsdown.config.ts';

// Below node_modules, so that its dependencies are found and nothing has to be ignored.
const OUT_DIRECTORY = fileURLToPath(new URL('../../node_modules/.cache/authchart-bench/', import.meta.url));
const JOURNAL = fileURLToPath(new URL('../../src/durable/journal.ts', import.meta.url));
const NO_JOURNAL = fileURLToPath(new URL('no-journal.ts', import.meta.url));

/** Builds the library and returns the URL of its core entry. Without its journal, it shows what journalling costs. */
export async function buildPackage({ withJournal = true }: { readonly withJournal?: boolean } = {}): Promise<string> {
  const [library] = [packageConfig].flat();
  const outDir = path.join(OUT_DIRECTORY, withJournal ? 'whole' : 'without-journal');
  let isReplaced = false;
  const load = (id: string): Promise<string> | undefined => {
    if (id !== JOURNAL) return undefined;
    isReplaced = true;
    return readFile(NO_JOURNAL, 'utf8');
  };
  const plugins = withJournal ? [] : [{ name: 'no-journal', load }];
  await build({ ...library, config: false, outDir, dts: false, logLevel: 'error', report: false, plugins });
  // Where the journal moved, the package would be compared with itself.
  if (!withJournal && !isReplaced) throw new Error(`the build without a journal does not load ${JOURNAL}`);
  return pathToFileURL(path.join(outDir, 'index.js')).href;
}
