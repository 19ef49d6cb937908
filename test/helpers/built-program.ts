/**
 * A program of the tests as one file: it starts in a third of the time that its many
 * sources take, which matters where some hundred of them are started.
 */
import { createHash } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

// Below node_modules, so that libraries are found and nothing has to be ignored.
const DIRECTORY = fileURLToPath(new URL('../../node_modules/.cache/authchart-programs/', import.meta.url));

/** Where Node keeps what it has compiled: give it to the program as `NODE_COMPILE_CACHE`. */
export const COMPILE_CACHE = join(DIRECTORY, 'compiled');

/** Builds it from the sources as they are; returns the path of the file, which is named after its content. */
export async function builtProgram(source: URL): Promise<string> {
  const bundle = await rolldown({ input: fileURLToPath(source), platform: 'node', external: ['pg', 'redis'], logLevel: 'warn' });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  await bundle.close();
  const { code } = output[0];
  const path = join(DIRECTORY, `program-${createHash('sha256').update(code).digest('hex').slice(0, 16)}.js`);
  // Another worker may be about to do the same.
  const prepared = `${path}.${process.pid}`;
  await mkdir(DIRECTORY, { recursive: true });
  await writeFile(prepared, code);
  await rename(prepared, path);
  return path;
}
