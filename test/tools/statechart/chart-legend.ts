/** What the colours of the picture mean; only what the chart has is listed. */
import { ARROWS, type ArrowKind, FAINT_INK, type Look, looksIn } from './chart-looks.ts';
import type { ChartState } from './chart-model.ts';
import { escaped } from './dot-text.ts';

export const small = (text: string, color = FAINT_INK): string => `<font point-size="10" color="${color}">${escaped(text)}</font>`;

const swatch = ({ fill, border, dashed, meaning }: Look) =>
  `<td bgcolor="${fill}" color="${border}" border="1" style="rounded${dashed ? ',dashed' : ''}" width="22">&#160;</td>` +
  `<td align="left">${small(meaning)}&#160;&#160;</td>`;

const arrow = (kind: ArrowKind) =>
  `<td><font color="${ARROWS[kind].color}"><b>→</b></font></td><td align="left">${small(ARROWS[kind].meaning)}&#160;&#160;</td>`;

const IN_A_ROW = 3;

/** An HTML-like label; in rows for a picture that is narrow. */
export function legend(states: readonly ChartState[], kinds: ReadonlySet<ArrowKind>, isNarrow: boolean): string {
  const arrows = (Object.keys(ARROWS) as ArrowKind[]).filter((kind) => kinds.has(kind)).map(arrow);
  const looks = looksIn(states).map(swatch);
  const rows = isNarrow ? [...inRows(looks), ...inRows(arrows)] : [[...looks, ...arrows]];
  const lines = rows.map((cells) => `<tr>${cells.join('')}</tr>`);
  return `<<table border="0" cellborder="0" cellspacing="4" cellpadding="3">${lines.join('')}</table>>`;
}

function inRows(cells: readonly string[]): readonly (readonly string[])[] {
  return cells.flatMap((_, index) => (index % IN_A_ROW === 0 ? [cells.slice(index, index + IN_A_ROW)] : []));
}
