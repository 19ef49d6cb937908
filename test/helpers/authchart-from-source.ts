/** For `node --import`: programs that import the package, such as the examples, get its source and not an older build. */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { name: string };
/** Sources whose name is not that of their entry. */
const ELSEWHERE: Readonly<Record<string, string>> = { sealed: 'stores/sealed-store', 'store-contract': 'stores/store-contract' };

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === manifest.name) return next(new URL('../../src/index.ts', import.meta.url).href, context);
    if (!specifier.startsWith(`${manifest.name}/`)) return next(specifier, context);
    const entry = specifier.slice(manifest.name.length + 1);
    return next(new URL(`../../src/${ELSEWHERE[entry] ?? entry}.ts`, import.meta.url).href, context);
  },
});
