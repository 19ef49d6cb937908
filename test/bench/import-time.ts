/** How long a fresh process takes to import a module. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median } from './measure.ts';

const run = promisify(execFile);
// Where the packages under comparison can be found by name.
const HERE = fileURLToPath(new URL('.', import.meta.url));

/** Median milliseconds of each module's import, the modules in turn in each of `rounds` rounds. */
export async function importTimes(modules: readonly string[], rounds: number): Promise<readonly number[]> {
  const times = modules.map((): number[] => []);
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, module] of modules.entries()) {
      const time = await importOnce(module);
      // The first round warms the file cache.
      if (round >= 0) times[index]?.push(time);
    }
  }
  return times.map(median);
}

async function importOnce(module: string): Promise<number> {
  const program = `const at = performance.now(); await import(${JSON.stringify(module)}); console.log(performance.now() - at);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: HERE });
  return Number(stdout);
}
