/** The fixture application, bundled with the built package as an application's author would do it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { buildPackage } from '../bench/built-package.ts';

/** Below node_modules, so that nothing has to be ignored. */
export const BUILT = resolve(import.meta.dirname, '../../node_modules/.cache/authchart-browser');

/** Pages of `application/`, by name. */
const PAGES = ['application', 'stores'] as const;

/** Builds the package anew, so that no stale one is tested, and every page with it. */
export async function buildApplication(): Promise<void> {
  const index = fileURLToPath(await buildPackage());
  const entry = (name: string): string => join(index, '..', `${name}.js`);
  mkdirSync(BUILT, { recursive: true });
  for (const page of PAGES) {
    const bundle = await rolldown({
      input: join(import.meta.dirname, `application/${page}.ts`),
      platform: 'browser',
      // Its paths lead to the sources.
      tsconfig: false,
      logLevel: 'warn',
      resolve: {
        alias: {
          'authchart/browser': entry('browser'),
          'authchart/sealed': entry('sealed'),
          'authchart/store-contract': entry('store-contract'),
          authchart: index,
        },
      },
    });
    const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
    await bundle.close();
    const own = new Set(output.map(({ fileName }) => fileName));
    const imports = output.flatMap((chunk) => (chunk.type === 'chunk' ? [...chunk.imports, ...chunk.dynamicImports] : []));
    writeFileSync(join(BUILT, `${page}.js`), output[0].code);
    writeFileSync(join(BUILT, `${page}.imports.json`), JSON.stringify(imports.filter((name) => !own.has(name))));
  }
}
