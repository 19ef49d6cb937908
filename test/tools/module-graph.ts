/** Who imports whom in `src` and `machines`, read from the code by a parser; types and values are told apart. */
import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { parseSync } from 'oxc-parser';

export interface Import {
  /** A file of the project (`src/…`, `machines/…`) or what a package or built-in is imported as. */
  readonly target: string;
  readonly line: number;
  /** Gone at run time. */
  readonly typeOnly: boolean;
}

/** Files that import what a user names: no module of the project, nor one that it is built with. */
const IMPORTS_BY_NAME = new Set(['src/gateway/validator-factory.ts', 'src/cli/gateway/store-driver.ts']);

export type ModuleGraph = ReadonlyMap<string, readonly Import[]>;

function resolve(from: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : specifier;
}

/** All imports of one file: `import`, `export … from` and `import()`. */
export function importsOf(path: string, source: string): readonly Import[] {
  const { module, errors } = parseSync(path, source);
  if (errors[0] !== undefined) throw new Error(`${path} cannot be parsed: ${errors[0].message}`);
  const found: Import[] = [];
  const add = (specifier: string, start: number, typeOnly: boolean) =>
    found.push({ target: resolve(path, specifier), line: source.slice(0, start).split('\n').length, typeOnly });

  for (const { moduleRequest, entries, start } of module.staticImports) {
    add(moduleRequest.value, start, entries.length > 0 && entries.every((entry) => entry.isType));
  }
  for (const { entries, start } of module.staticExports) {
    for (const { moduleRequest, isType } of entries) {
      if (moduleRequest) add(moduleRequest.value, start, isType);
    }
  }
  for (const { moduleRequest, start } of module.dynamicImports) {
    const literal = /^(['"])(.*)\1$/.exec(source.slice(moduleRequest.start, moduleRequest.end));
    if (literal?.[2] === undefined && IMPORTS_BY_NAME.has(path)) continue;
    if (literal?.[2] === undefined) throw new Error(`${path} imports something computed: only literal specifiers can be checked.`);
    add(literal[2], start, false);
  }
  return found;
}

/** The graph of the project in `folder`. */
export function readModuleGraph(folder: string): ModuleGraph {
  const files = globSync(['src/**/*.{ts,tsx}', 'machines/**/*.ts'], { cwd: folder }).map((file) => file.replaceAll('\\', '/'));
  return new Map(files.sort().map((file) => [file, importsOf(file, readFileSync(posix.join(folder, file), 'utf8'))]));
}
