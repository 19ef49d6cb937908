/** Turns arrows into what Graphviz draws: lines between nodes, and the small nodes some of them start or end at. */
import type { Arrow } from './chart-arrows.ts';
import { ARROWS, type Look, lookOf } from './chart-looks.ts';
import type { ChartState } from './chart-model.ts';
import { attributes, quoted } from './dot-text.ts';

export const paint = ({ fill, border, dashed }: Look): Readonly<Record<string, string>> => ({
  shape: 'box',
  style: `rounded,filled${dashed ? ',dashed' : ''}`,
  fillcolor: fill,
  color: border,
});

const STRAIGHT = 40;
const SMALL_NODE = { height: 0.2, margin: '0.09,0.04', fontsize: 10 };
const PILLS = {
  event: { meaning: '', fill: '#dbeafe', border: ARROWS.event.color },
  error: { meaning: '', fill: '#fee2e2', border: ARROWS.error.color },
} satisfies Record<string, Look>;

export const boxName = (path: string): string => `cluster ${path}`;
const initialOf = (path: string): string => `${path} initial`;
const parentOf = (path: string): string => path.split('.').slice(0, -1).join('.');

/** Graphviz joins nodes only: a line to a box goes to its initial dot and is cut off at the border. */
const nodeOf = (state: ChartState): string => (state.children.length > 0 ? initialOf(state.path) : state.path);

function add<Item>(map: Map<string, Item[]>, key: string, item: Item): void {
  map.set(key, [...(map.get(key) ?? []), item]);
}

/** What is drawn besides the states: small nodes by the path of their box, and lines. */
export class Drawing {
  readonly nodes = new Map<string, string[]>();
  readonly pills = new Map<string, string[]>();
  readonly lines: string[] = [];
  /** Arrows from a state to itself, by the state: as loops they would lie on each other. */
  readonly again = new Map<string, Arrow[]>();
  readonly #parents: ReadonlySet<string>;
  /** By state, the one that is declared after it. */
  readonly #next: ReadonlyMap<string, string>;

  constructor(states: readonly ChartState[], arrows: readonly Arrow[]) {
    this.#parents = new Set(states.filter(({ children }) => children.length > 0).map(({ path }) => path));
    this.#next = new Map(states.slice(1).map(({ path }, index) => [states[index]?.path ?? '', path]));
    for (const [index, arrow] of arrows.entries()) {
      if (arrow.from === arrow.to.path) add(this.again, arrow.from, arrow);
      else if (this.#parents.has(arrow.from)) this.#fromParent(arrow, index);
      else this.#line(arrow.from, this.#head(arrow, parentOf(arrow.from), index), arrow, arrow.labels);
    }
  }

  /** What a parent answers, it answers in all of its states: such an arrow starts from a pill in its box. */
  #fromParent(arrow: Arrow, index: number): void {
    const home = arrow.from;
    const label = arrow.labels[0] ?? '';
    const [event = '', ...guard] = arrow.kind === 'event' ? label.split(' ') : [label];
    const pill = `${home} ${event}`;
    if (!this.pills.get(home)?.includes(pill)) {
      const look = arrow.kind === 'error' ? PILLS.error : PILLS.event;
      add(this.pills, home, pill);
      add(this.nodes, home, `${quoted(pill)} ${attributes({ ...SMALL_NODE, ...paint(look), fontcolor: look.border, label: event })}`);
    }
    this.#line(pill, this.#head(arrow, home, index), arrow, [guard.join(' ')]);
  }

  /** The node an arrow ends at: the target, or a chip in the box `home` that names it in the target's colours. */
  #head({ to, isChip }: Arrow, home: string, index: number): string {
    if (!isChip) return nodeOf(to);
    const chip = `chip ${index}`;
    add(this.nodes, home, `${quoted(chip)} ${attributes({ ...SMALL_NODE, ...paint(lookOf(to)), label: `→ ${to.key}` })}`);
    return chip;
  }

  #line(tail: string, head: string, { to, kind, isChip }: Arrow, labels: readonly string[]): void {
    const { color, style } = ARROWS[kind];
    const isCut = !isChip && to.children.length > 0;
    const words = labels.filter((label) => label !== '');
    const label = words.map((word) => ` ${word} `).join('\n');
    // States are declared in the order of the way that leads to the end: drawn straight, it is seen at once.
    const isOnward = this.#parents.size === 0 && kind !== 'error' && this.#next.get(tail) === head;
    const values = {
      color,
      fontcolor: color,
      style,
      ...(isOnward && { weight: STRAIGHT }),
      ...(label !== '' && { label }),
      ...(isCut && { lhead: boxName(to.path) }),
    };
    this.lines.push(`${quoted(tail)} -> ${quoted(head)} ${attributes(values)}`);
  }
}

/** The dot a box begins with, and the line from it. */
export function initialLine(state: ChartState, target: ChartState): readonly string[] {
  return [
    `${quoted(initialOf(state.path))} [shape=point width=0.1 color="#0f172a"]`,
    `${quoted(initialOf(state.path))} -> ${quoted(nodeOf(target))} [color="#0f172a" arrowsize=0.5 penwidth=0.8]`,
  ];
}
