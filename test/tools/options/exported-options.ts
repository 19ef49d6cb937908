/** That no option is left out of the pages: what the entry points export is compared with what the pages name. */
import { globSync, readFileSync } from 'node:fs';
import { parseSync } from 'oxc-parser';
import { namesOn, type Page } from './page.ts';

/** `src/*.ts` that hand on what others declare, and nothing of their own. */
const ENTRY_POINTS = ['src/{index,node,browser,redis,postgres,keychain,gateway}.ts'];

const SOMETHING_TO_SAY = /(?:Options|Limits)$/;

/** Exported types of options that are on none of the pages. */
export function undocumentedOptions(pages: readonly Page[]): readonly string[] {
  const named = new Set(pages.flatMap((page) => [...namesOn(page).keys()]));
  return exportedNames().filter((name) => SOMETHING_TO_SAY.test(name) && !named.has(name));
}

function exportedNames(): readonly string[] {
  return globSync(ENTRY_POINTS).flatMap((path) => {
    const { module } = parseSync(path, readFileSync(path, 'utf8'));
    return module.staticExports.flatMap(({ entries }) => entries.flatMap(({ exportName }) => exportName.name ?? []));
  });
}
