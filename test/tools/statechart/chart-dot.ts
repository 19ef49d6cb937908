/** A chart in the language of Graphviz: states as cards, their parents as boxes around them. */
import { type Arrow, arrowsOf } from './chart-arrows.ts';
import { boxName, Drawing, initialLine, paint } from './chart-drawing.ts';
import { legend, small } from './chart-legend.ts';
import { ARROWS, INK, lookOf, MEASURED_FONT } from './chart-looks.ts';
import { type ChartState, hasParts, withDescendants } from './chart-model.ts';
import { attributes, escaped, quoted, wrapped } from './dot-text.ts';

const CARD_CHARACTERS = 36;

function card(state: ChartState, again: readonly Arrow[]): string {
  const look = lookOf(state);
  const rule = state.rule === undefined ? '' : small(state.rule, look.border);
  const lines = [
    ...wrapped(state.description, CARD_CHARACTERS).map((line) => small(line)),
    ...again.flatMap(({ kind, labels }) => labels.map((label) => small(`↻ ${label}`, ARROWS[kind].color))),
  ];
  const label =
    '<<table border="0" cellborder="0" cellspacing="0" cellpadding="2">' +
    `<tr><td align="left"><b>${escaped(state.key)}</b>&#160;&#160;</td><td align="right">${rule}</td></tr>` +
    `<tr><td colspan="2" align="left" balign="left">${lines.map((line) => `${line}<br align="left"/>`).join('')}</td></tr></table>>`;
  const classes = ['state', ...state.tags].join(' ');
  return `${quoted(state.path)} ${attributes({ id: `state-${state.path}`, class: classes, label, ...paint(look) })}`;
}

function box(state: ChartState, depth: number, drawing: Drawing): readonly string[] {
  if (state.children.length === 0) return [card(state, drawing.again.get(state.path) ?? [])];
  const initial = withDescendants(state).find(({ path }) => path === state.initial);
  const inside = [
    `label=<<b>${escaped(state.key)}</b>&#160; ${small(state.description)}>`,
    `id=${quoted(`state-${state.path}`)}; class="state parent"; style="rounded,filled"; labeljust=l; margin=14`,
    `color="#94a3b8"; fillcolor=${quoted(depth % 2 === 0 ? '#f8fafc' : '#ffffff')}; fontsize=13`,
    ...(initial === undefined ? [] : initialLine(state, initial)),
    ...state.children.flatMap((child) => box(child, depth + 1, drawing)),
    ...(drawing.nodes.get(state.path) ?? []),
    ...(depth === 0
      ? [`node [shape=point width=0.01 height=0.01 style=invis]; ${quoted(`${state.path} floor`)}; ${quoted(`${state.path} ceiling`)}`]
      : []),
  ];
  return [`subgraph ${quoted(boxName(state.path))} {`, ...inside.map((line) => `  ${line}`), '}'];
}

/**
 * Unseen nodes and lines that put every top-level part below the one before it,
 * and a part's pills below its states: without them Graphviz puts them side by side.
 */
function order(root: ChartState, { pills }: Drawing): readonly string[] {
  // Without parts there is nothing to put below each other: the arrows say enough.
  if (!hasParts(root)) return [];
  return root.children.flatMap((part, index) => {
    const states = withDescendants(part);
    const leaves = states.filter(({ children }) => children.length === 0).map(({ path }) => path);
    const own = pills.get(part.path) ?? [];
    const [floor, ceiling] = [`${part.path} floor`, `${part.path} ceiling`];
    const starts = states.flatMap(({ path, initial }) => (initial === undefined ? [] : [`${path} initial`]));
    const isLast = index === root.children.length - 1;
    const below = [...leaves.map((leaf) => [leaf, floor]), ...own.map((pill) => [floor, pill])];
    const above = [...starts, ...own].map((node) => [ceiling, node]);
    const before = root.children[index - 1];
    const previous = before === undefined ? [] : [...(pills.get(before.path) ?? []), `${before.path} floor`].map((pill) => [pill, ceiling]);
    return [...(isLast ? [] : below), ...(index === 0 ? [] : above), ...previous].map(
      ([upper = '', lower = '']) => `${quoted(upper)} -> ${quoted(lower)} [style=invis${lower === ceiling ? ' minlen=2' : ''}]`,
    );
  });
}

/** The whole chart as one DOT document. */
export function chartAsDot(root: ChartState): string {
  const states = withDescendants(root).slice(1);
  const { arrows, usualErrors } = arrowsOf(root);
  const usual: Arrow[] = usualErrors ? [{ ...usualErrors, kind: 'error', labels: ['an error that no arrow takes'], isChip: true }] : [];
  const drawing = new Drawing(states, [...arrows, ...usual]);
  return [
    `digraph ${quoted(root.key)} {`,
    `graph [compound=true nodesep=0.3 ranksep=0.35 pad=0.3 fontname="${MEASURED_FONT}" fontcolor="${INK}" bgcolor="white"]`,
    `node [fontname="${MEASURED_FONT}" fontsize=12 fontcolor="${INK}" margin="0.08,0.05" penwidth=1.4]`,
    `edge [fontname="${MEASURED_FONT}" fontsize=9.5 arrowsize=0.7]`,
    ...root.children.flatMap((child) => box(child, 0, drawing)),
    ...(drawing.nodes.get('') ?? []),
    ...drawing.lines,
    ...order(root, drawing),
    `labelloc=b; label=${legend(states, new Set(arrows.map(({ kind }) => kind)), !hasParts(root))}`,
    '}',
  ].join('\n');
}
