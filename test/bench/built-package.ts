/** The package as it is published, built anew for the benchmark so that no stale `dist` is measured. */

import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'tsdown';
import packageConfig from '../../tsdown.config.ts';

// Below node_modules, so that its dependencies are found and nothing has to be ignored.
const OUT_DIRECTORY = fileURLToPath(new URL('../../node_modules/.cache/authchart-bench/', import.meta.url));

/** Builds the library and returns the URL of its core entry. */
export async function buildPackage(): Promise<string> {
  const [library] = [packageConfig].flat();
  await build({ ...library, config: false, outDir: OUT_DIRECTORY, dts: false, logLevel: 'error', report: false });
  return pathToFileURL(path.join(OUT_DIRECTORY, 'index.js')).href;
}
