/**
 * Import directions of docs/decisions and the architecture, checked in CI:
 *
 *   protocol ← actors ← client      stores ← durable, records ← client, gateway
 *
 * `machines` are pure, nothing imports `cli`, and what `src/index.ts` reaches
 * runs without Node. Run: `npm run check:imports`.
 */
import { isBuiltin } from 'node:module';
import { type Import, type ModuleGraph, readModuleGraph } from './module-graph.ts';

interface Layer {
  readonly name: string;
  readonly files: RegExp;
  /** Files of other layers whose values may be used; every layer may use its own. */
  readonly values: readonly RegExp[];
  /** Files of which only types may be used. */
  readonly types: readonly RegExp[];
  readonly packages: readonly string[];
}

/** Plain data and contracts that every layer may use: they have no effects and import next to nothing. */
const shared = [/^src\/(clock|errors|failure|failure-codes|limits|misconfigured|ordered-json)\.ts$/];
/** Nothing imports the command line, and nothing but the command line imports the gateway. */
const anyButCli = [/^src\/(?!cli\/|gateway[./])/];
const contracts = [...shared, /^src\/(options|status)\.ts$/, /^src\/(stores|user-agents)\/contract\.ts$/, /^src\/protocol\/documents\.ts$/];

export const LAYERS: readonly Layer[] = [
  {
    name: 'machines',
    files: /^machines\//,
    values: [/^src\/(failure|failure-codes)\.ts$/, /^src\/protocol\/scopes\.ts$/],
    types: anyButCli,
    packages: ['xstate'],
  },
  {
    name: 'protocol',
    files: /^src\/protocol\//,
    values: shared,
    types: contracts,
    packages: ['ky', 'oauth4webapi', 'zod/mini'],
  },
  {
    name: 'stores',
    files: /^src\/stores\//,
    values: shared,
    types: contracts,
    packages: ['@napi-rs/keyring', 'idb', 'jose', 'zod/mini'],
  },
  {
    name: 'user agents',
    files: /^src\/user-agents\//,
    values: [...shared, /^src\/protocol\//],
    types: contracts,
    packages: ['open', 'zod/mini'],
  },
  {
    name: 'durable',
    files: /^src\/durable\//,
    values: [...shared, /^src\/stores\/contract\.ts$/],
    types: contracts,
    packages: ['xstate', 'zod/mini'],
  },
  {
    name: 'records',
    files: /^src\/records\//,
    values: [...shared, /^src\/stores\/contract\.ts$/, /^src\/protocol\/constant-time-equal\.ts$/],
    types: contracts,
    packages: ['zod/mini'],
  },
  {
    name: 'actors',
    files: /^src\/actors\//,
    values: [...shared, /^src\/(protocol|records|durable|stores|user-agents)\//, /^src\/(settings|access-token)\.ts$/, /^machines\//],
    types: [...contracts, /^src\/[^/]+\.ts$/],
    packages: ['xstate', 'zod/mini'],
  },
  { name: 'diagnosis', files: /^src\/diagnosis\//, values: [...shared, /^src\/protocol\//], types: contracts, packages: [] },
  {
    name: 'command line',
    files: /^src\/cli\//,
    values: [/^src\//, /^package\.json$/],
    types: [/^src\//, /^machines\//],
    packages: [
      '@hono/node-server',
      '@modelcontextprotocol/server',
      'commander',
      'cross-spawn',
      'log-update',
      'picocolors',
      'table',
      'undici',
      'zod/mini',
    ],
  },
  {
    name: 'gateway',
    files: /^src\/gateway(\/|\.ts$)/,
    values: [
      ...shared,
      /^src\/(protocol|records|durable)\//,
      /^src\/stores\/(contract|memory-store|seal(ed|ing)-[\w-]+)\.ts$/,
      /^machines\//,
    ],
    types: [...contracts, /^src\/[^/]+\.ts$/],
    packages: ['jose', 'oauth4webapi', 'xstate', 'zod/mini'],
  },
  { name: 'host', files: /^src\/host\//, values: [...anyButCli, /^machines\//], types: [], packages: [] },
  {
    name: 'client',
    files: /^src\/(?!gateway\.ts$)[^/]+\.ts$/,
    values: [...anyButCli, /^machines\//],
    types: [],
    packages: ['xstate'],
  },
];

/** Where the parts that must run without Node begin. */
const ENTRIES_WITHOUT_NODE = [
  'src/index.ts',
  'src/machines.ts',
  'src/browser.ts',
  'src/redis.ts',
  'src/postgres.ts',
  'src/keychain.ts',
  'src/gateway.ts',
  'src/stores/sealed-store.ts',
  'src/stores/store-contract.ts',
];
const PACKAGES_FOR_NODE = new Set(['@hono/node-server', 'open', 'commander', 'cross-spawn', 'log-update', 'picocolors', 'table', 'undici']);

const matches = (patterns: readonly RegExp[], file: string) => patterns.some((pattern) => pattern.test(file));
const isProjectFile = (target: string) => /^(src|machines)\/|^package\.json$/.test(target);

function mayImport(layer: Layer, { target, typeOnly }: Import): boolean {
  if (!isProjectFile(target)) return target.startsWith('node:') || layer.packages.includes(target);
  return matches([layer.files, ...layer.values, ...(typeOnly ? layer.types : [])], target);
}

function layerProblems(graph: ModuleGraph): string[] {
  return [...graph].flatMap(([file, imports]) => {
    const layer = LAYERS.find(({ files }) => files.test(file));
    if (layer === undefined) return [`${file} belongs to no layer; add its folder to test/tools/import-directions.ts.`];
    return imports.flatMap((one) => {
      const { target, line, typeOnly } = one;
      if (isBuiltin(target) && !target.startsWith('node:')) return [`${file}:${line} write node:${target}.`];
      if (isProjectFile(target) && target.endsWith('.ts') && !graph.has(target)) return [`${file}:${line} ${target} does not exist.`];
      return mayImport(layer, one) ? [] : [`${file}:${line} ${layer.name} may not import ${typeOnly ? 'types of ' : ''}${target}.`];
    });
  });
}

/** Values only: types are gone at run time. */
function reachableFrom(graph: ModuleGraph, entry: string): ReadonlyMap<string, readonly string[]> {
  const routes = new Map<string, readonly string[]>([[entry, [entry]]]);
  for (const [file, route] of routes) {
    for (const { target, typeOnly } of graph.get(file) ?? []) {
      if (!typeOnly && !routes.has(target)) routes.set(target, [...route, target]);
    }
  }
  return routes;
}

function nodeProblems(graph: ModuleGraph): string[] {
  return ENTRIES_WITHOUT_NODE.filter((entry) => graph.has(entry)).flatMap((entry) =>
    [...reachableFrom(graph, entry)]
      .filter(([target]) => target.startsWith('node:') || PACKAGES_FOR_NODE.has(target))
      .map(([, route]) => `${entry} must run without Node, but: ${route.join(' → ')}.`),
  );
}

/** Cycles of values make the order of evaluation matter. */
function cycleProblems(graph: ModuleGraph): string[] {
  const problems: string[] = [];
  const finished = new Set<string>();
  const visit = (file: string, route: readonly string[]): void => {
    if (route.includes(file)) {
      problems.push(`Import cycle: ${[...route.slice(route.indexOf(file)), file].join(' → ')}.`);
      return;
    }
    if (finished.has(file)) return;
    for (const { target, typeOnly } of graph.get(file) ?? []) if (!typeOnly) visit(target, [...route, file]);
    finished.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return problems;
}

/** Every broken rule in words; none: the list is empty. */
export function directionProblems(graph: ModuleGraph): readonly string[] {
  return [...layerProblems(graph), ...nodeProblems(graph), ...cycleProblems(graph)];
}

if (import.meta.main) {
  const graph = readModuleGraph(process.cwd());
  const problems = directionProblems(graph);
  for (const problem of problems) console.error(problem);
  console.log(`Import directions: ${graph.size} files, ${problems.length} problems.`);
  if (problems.length > 0) process.exitCode = 1;
}
