import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const repository = resolve(import.meta.dirname, '../..');

interface Named {
  readonly file: string;
  readonly title: string;
}

/** `[name](../test/….ts): “title”, “title”` in a table of the document. */
function testsNamedIn(markdown: string): readonly Named[] {
  const proofs = markdown.matchAll(/\]\(\.\.\/(test\/[^)]+)\): (“[^”]*”(?:, “[^”]*”)*)/g);
  return [...proofs].flatMap(([, file = '', titles = '']) => [...titles.matchAll(/“([^”]*)”/g)].map(([, title = '']) => ({ file, title })));
}

/** The title stands in the file as a text of its own, whole or up to the requirements that it names. */
function isThere({ file, title }: Named): boolean {
  const source = readFileSync(join(repository, file), 'utf8');
  return ["'", '"', '`'].some((quote) => source.includes(`${quote}${title} (`) || source.includes(`${quote}${title}${quote}`));
}

describe('the threat model', () => {
  const document = readFileSync(join(repository, 'docs/gateway-threats.md'), 'utf8');

  it('names tests that exist, by their titles', () => {
    const named = testsNamedIn(document);
    expect(named.length).toBeGreaterThan(70);
    expect(named.filter((one) => !isThere(one)).map(({ file, title }) => `${file}: ${title}`)).toEqual([]);
  });

  it('has a proof for every attack it says is stopped', () => {
    const [stopped = ''] = document.split('## Not stopped');
    const rows = stopped.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| attack'));
    expect(rows.length).toBeGreaterThan(40);
    expect(rows.filter((row) => testsNamedIn(row).length === 0)).toEqual([]);
  });

  it('is read as it is written', () => {
    const row = '| x | y | [a](../test/a.test.ts): “one”, “two”; [b](../test/b.test.ts): “three” |';
    expect(testsNamedIn(row).map(({ file, title }) => `${file} ${title}`)).toEqual([
      'test/a.test.ts one',
      'test/a.test.ts two',
      'test/b.test.ts three',
    ]);
  });
});
