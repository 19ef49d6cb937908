/** Short things in a first column, what they are about in a second. */
import { stripVTControlCharacters } from 'node:util';
import { getBorderCharacters, table } from 'table';
import type { Style } from './style.ts';

const GAP = 3;
/** A second column narrower than this is read worse than a line that the terminal breaks. */
const NARROWEST = 20;

/**
 * Names and values; what has no value is left out. A word that is too long for its column, such as a URL that is to be
 * copied to the letter, has a line of its own and is never broken.
 */
export function factsTable(facts: readonly (readonly [name: string, value: string | undefined])[], style: Style, indent = ''): string {
  const rows = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined);
  const first = Math.max(0, ...rows.map(([name]) => name.length)) + GAP;
  const room = style.columns === undefined ? Number.POSITIVE_INFINITY : Math.max(NARROWEST, style.columns - indent.length - first);
  const lines = rows.flatMap(([name, value]) =>
    wrapped(value, room).map((line, at) => {
      const beside = `${indent}${at === 0 ? style.dim(name) + ' '.repeat(first - name.length) : ' '.repeat(first)}${line}`;
      if (widthOf(line) <= room) return beside;
      return at === 0 ? `${indent}${style.dim(name)}\n${indent}${line}` : `${indent}${line}`;
    }),
  );
  return lines.map((line) => `${line}\n`).join('');
}

const widthOf = (text: string): number => stripVTControlCharacters(text).length;

/** Broken between words only. */
function wrapped(text: string, room: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(`${last} ${word}`) <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Two columns, the second one wrapped at words to fit the terminal. */
export function inColumns(rows: readonly (readonly string[])[], style: Style, gap = 1): string {
  if (rows.length === 0) return '';
  const [first, second] = [0, 1].map((column) => Math.max(1, ...rows.map((row) => stripVTControlCharacters(row[column] ?? '').length)));
  const room = style.columns === undefined ? undefined : Math.max(NARROWEST, style.columns - (first ?? 1) - gap);
  const drawn = table([...rows], {
    border: getBorderCharacters('void'),
    columnDefault: { paddingLeft: 0, paddingRight: gap, wrapWord: true },
    columns: { 1: { paddingRight: 0, width: Math.min(second ?? 1, room ?? Number.POSITIVE_INFINITY) } },
    drawHorizontalLine: () => false,
  });
  return drawn.replace(/ +$/gm, '');
}
