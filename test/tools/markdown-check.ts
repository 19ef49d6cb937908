/**
 * Checks what the documents say: every `ts` block compiles against the source, every link
 * into the repository leads to a file and a heading. Run: `npm run check:markdown`.
 *
 * A block is a module of its own; one marked `ts continued` goes on where the one before
 * it ended. What is not meant to compile is not marked `ts`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const repository = resolve(import.meta.dirname, '../..');
const work = join(repository, 'tmp/snippets');

interface Block {
  readonly line: number;
  readonly code: string;
  readonly isContinued: boolean;
}

function codeBlocks(markdown: string): readonly Block[] {
  const blocks = markdown.matchAll(/^```ts( continued)?\n([\s\S]*?)^```$/gm);
  return [...blocks].map(({ index, 1: continued, 2: code = '' }) => ({
    line: markdown.slice(0, index).split('\n').length + 1,
    code,
    isContinued: continued !== undefined,
  }));
}

/** The modules of one document. Their code stays on its lines, so that errors name the right ones. */
export function modulesOf(markdown: string): readonly string[] {
  const modules: string[] = [];
  for (const { line, code, isContinued } of codeBlocks(markdown)) {
    const before = isContinued ? (modules.pop() ?? '') : '';
    const missingLines = line - before.split('\n').length;
    modules.push(`${before}${'\n'.repeat(missingLines)}${code}`);
  }
  return modules;
}

/** As places that show Markdown name a heading in links. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- ]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = markdown.matchAll(/^#+ (.+)$/gm);
  return new Set([...headings].map(([, text = '']) => anchorOf(text)));
}

function brokenLinks(document: string, markdown: string): readonly string[] {
  const links = [...markdown.replace(/```[\s\S]*?```/g, '').matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g)];
  return links.flatMap(([, path = '', anchor]) => {
    const target = path === '' ? document : join(dirname(document), path);
    if (!existsSync(join(repository, target))) return [`${document}: ${target} does not exist.`];
    if (anchor === undefined || !target.endsWith('.md')) return [];
    const isThere = anchorsOf(readFileSync(join(repository, target), 'utf8')).has(anchor);
    return isThere ? [] : [`${document}: ${target} has no heading #${anchor}.`];
  });
}

function compile(documents: ReadonlyMap<string, string>): readonly string[] {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const [path, markdown] of documents) {
    for (const [index, code] of modulesOf(markdown).entries()) {
      writeFileSync(join(work, `${path.replaceAll('/', '--')}.${index + 1}.ts`), `${code}\nexport {};\n`);
    }
  }
  const config = { extends: '../../tsconfig.json', compilerOptions: { noUnusedLocals: false }, include: ['*.ts'] };
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(config));
  const { status, stdout } = spawnSync(join(repository, 'node_modules/.bin/tsc'), ['-p', work], { cwd: work, encoding: 'utf8' });
  if (status !== 0)
    return stdout
      .trim()
      .split('\n')
      .map((line) => line.replaceAll('--', '/'));
  rmSync(work, { recursive: true, force: true });
  return [];
}

if (import.meta.main) {
  const files = globSync('**/*.md', { cwd: repository, exclude: (name) => ['node_modules', 'dist', 'tmp', '.git'].includes(name) });
  const documents = new Map(files.sort().map((path) => [relative('', path), readFileSync(join(repository, path), 'utf8')]));
  const links = new Set([...documents].flatMap(([path, markdown]) => brokenLinks(path, markdown)));
  const problems = [...links, ...compile(documents)];
  for (const problem of problems) console.error(problem);
  console.log(`Documents: ${documents.size} files, ${problems.length} problems.`);
  if (problems.length > 0) process.exitCode = 1;
}
