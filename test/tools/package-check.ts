/**
 * Builds, packs, and looks at the package as its users get it: what is in it, whether
 * its types are found, whether it installs into an empty folder and runs there.
 * Run: `npm run check:package`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LICENSES_FILE } from './third-party-licenses.ts';

/** What a consumer installs besides authchart. Longer lists have to be a decision (docs/decisions/0001-dependencies.md). */
const INSTALLED = ['authchart', 'oauth4webapi', 'xstate'];
/** Without what is for developers of authchart only: it is generated from test titles, and larger than all the rest of the pages. */
const PACKED = /^(dist\/.+|docs\/(?!requirements\.md).+|package\.json|(README|CHANGELOG|SECURITY)\.md|LICENSE)$/;

const repository = resolve(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));

function run(title: string, command: string, args: readonly string[], cwd = repository): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${title} failed:\n${error?.message ?? ''}${stdout}${stderr}`);
  console.log(`ok  ${title}`);
  return stdout;
}

function expect(isTrue: boolean, title: string, detail = ''): void {
  if (!isTrue) throw new Error(`${title} failed: ${detail}`);
  console.log(`ok  ${title}`);
}

const tool = (name: string) => join(repository, 'node_modules/.bin', name);

function pack(folder: string): string {
  const [packed] = JSON.parse(run('pack', 'npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]));
  const paths: readonly string[] = packed.files.map(({ path }: { path: string }) => path);
  const strangers = paths.filter((path) => !PACKED.test(path));
  expect(strangers.length === 0, 'the tarball holds nothing but the build and its documents', strangers.join(', '));
  for (const wanted of [`dist/${LICENSES_FILE}`, `dist/cli/${LICENSES_FILE}`, 'LICENSE', 'README.md', 'docs/README.md']) {
    expect(paths.includes(wanted), `the tarball holds ${wanted}`);
  }
  console.log(
    `    ${paths.length} files, ${Math.round(packed.size / 1024)} KiB packed, ${Math.round(packed.unpackedSize / 1024)} KiB unpacked`,
  );
  return join(folder, packed.filename);
}

function install(tarball: string, consumer: string): void {
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  run('install into an empty folder', 'npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], consumer);
  const installed = readdirSync(join(consumer, 'node_modules')).filter((name) => !name.startsWith('.'));
  expect(`${installed}` === `${INSTALLED}`, `only ${INSTALLED.join(', ')} are installed`, installed.join(', '));
}

/** Every entry point loads, alone, in a process of its own. */
function load(consumer: string): void {
  for (const [subpath, target] of Object.entries(manifest.exports)) {
    if (typeof target === 'string') continue;
    const specifier = subpath.replace('.', manifest.name);
    const script = `const names = Object.keys(await import('${specifier}')); if (names.length === 0) throw new Error('exports nothing');`;
    run(`import ${specifier}`, process.execPath, ['--input-type=module', '--eval', script], consumer);
  }
}

const NODE_ONLY = './node';

/** The types are whole for every way consumers resolve modules, with no library skipped; only one entry needs Node's. */
function typeCheck(consumer: string): void {
  const entries = Object.keys(manifest.exports).filter((subpath) => typeof manifest.exports[subpath] !== 'string');
  const source = (subpaths: readonly string[]) =>
    subpaths.map((subpath, index) => `export * as entry${index} from '${subpath.replace('.', manifest.name)}';\n`).join('');
  writeFileSync(join(consumer, 'core.ts'), source(entries.filter((subpath) => subpath !== NODE_ONLY)));
  writeFileSync(join(consumer, 'node.ts'), source([NODE_ONLY]));
  const libraries = { core: { lib: ['es2023', 'dom', 'dom.iterable'], types: [] }, node: { lib: ['es2023'], types: ['node'] } };

  for (const [name, library] of Object.entries(libraries)) {
    for (const [moduleResolution, module] of Object.entries({ node16: 'node16', nodenext: 'nodenext', bundler: 'esnext' })) {
      const compilerOptions = {
        ...library,
        module,
        moduleResolution,
        target: 'es2023',
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        typeRoots: [join(repository, 'node_modules/@types')],
      };
      const config = join(consumer, `tsconfig.${name}.${moduleResolution}.json`);
      writeFileSync(config, JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
      run(`types of ${name} with moduleResolution ${moduleResolution}`, tool('tsc'), ['-p', config]);
    }
  }
}

function runCommand(consumer: string): void {
  const help = run('npx authchart --help', 'npx', ['--no-install', 'authchart', '--help'], consumer);
  for (const command of ['login', 'fetch', 'token', 'status', 'discover', 'logout']) {
    expect(help.includes(command), `the help names ${command}`);
  }
  const version = run('npx authchart --version', 'npx', ['--no-install', 'authchart', '--version'], consumer);
  expect(version.trim() === manifest.version, 'the version is that of the package', version);
}

function textOf(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
}

const work = mkdtempSync(join(tmpdir(), 'authchart-package-'));
try {
  run('build', tool('tsdown'), ['--logLevel', 'warn']);
  const built = textOf(join(repository, 'dist'));
  expect(!built.includes('pinned-node'), 'the build does not know of the pinned Node');
  expect(!built.includes(repository), 'the build holds no path of this machine');
  const tarball = pack(work);
  run('publint', tool('publint'), ['--strict', tarball]);
  run('are the types wrong', tool('attw'), ['--profile', 'esm-only', tarball]);
  const consumer = join(work, 'consumer');
  install(tarball, consumer);
  load(consumer);
  typeCheck(consumer);
  runCommand(consumer);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
