/** Short things in a first column, what they are about in a second. */
import { stripVTControlCharacters } from 'node:util';
import { getBorderCharacters, table } from 'table';
import type { Style } from './style.ts';

const GAP = 3;
/** A second column narrower than this is read worse than a line that the terminal breaks. */
const NARROWEST = 20;

/** Names and values; what has no value is left out. */
export function factsTable(facts: readonly (readonly [name: string, value: string | undefined])[], style: Style): string {
  const rows = facts.flatMap(([name, value]) => (value === undefined ? [] : [[style.dim(name), value]]));
  return inColumns(rows, style, GAP);
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
