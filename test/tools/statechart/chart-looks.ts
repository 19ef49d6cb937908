/** How a state looks, by its tags. */
import type { ChartState } from './chart-model.ts';

export interface Look {
  readonly meaning: string;
  readonly fill: string;
  readonly border: string;
  readonly dashed?: boolean;
}

export const INK = '#0f172a';
export const FAINT_INK = '#64748b';
/** What boxes are measured by: Graphviz knows its widths by itself, and none of the fonts below is wider. */
export const MEASURED_FONT = 'DejaVu Sans';
/** What texts are shown in, the first that is there. */
export const FONTS = 'Helvetica,Arial,Liberation Sans,DejaVu Sans,sans-serif';

/** For a state that is left as soon as it is entered. */
const DECIDING: Look = { meaning: 'decides at once', fill: '#ffffff', border: '#94a3b8' };

/** The first look that fits is taken. */
const LOOKS: readonly (Look & { readonly tags: readonly string[] })[] = [
  { tags: ['waitingForUser'], meaning: 'waits for a person', fill: '#fef3c7', border: '#d97706' },
  { tags: ['waitingForClient'], meaning: 'waits for the client', fill: '#ede9fe', border: '#7c3aed' },
  { tags: ['unsafeToRepeat'], meaning: 'works, and must not be repeated blindly after a crash', fill: '#fce7f3', border: '#be185d' },
  { tags: ['working'], meaning: 'works', fill: '#e0f2fe', border: '#0284c7' },
  { tags: ['retryable'], meaning: 'the flow ended; trying again later can help', fill: '#f1f5f9', border: '#475569', dashed: true },
  { tags: ['terminal', 'granted'], meaning: 'the client has its tokens', fill: '#dcfce7', border: '#16a34a' },
  { tags: ['terminal'], meaning: 'the flow ended without a credential', fill: '#f1f5f9', border: '#475569' },
  { tags: [], meaning: 'rests', fill: '#dcfce7', border: '#16a34a' },
];

/** A parent looks like most of its states; of several, like the last, to which the others lead. */
function mostCommonLook(children: readonly ChartState[]): Look {
  const looks = children.map(lookOf);
  const count = (one: Look | undefined) => looks.filter((other) => other === one).length;
  return looks.reduce((best, look) => (count(look) >= count(best) ? look : best));
}

export function lookOf({ tags, transitions, children }: ChartState): Look {
  if (children.length > 0) return mostCommonLook(children);
  if (transitions.some(({ trigger }) => trigger === 'always')) return DECIDING;
  const look = LOOKS.find((one) => one.tags.every((tag) => tags.includes(tag)));
  if (look === undefined) throw new Error('The last look fits every state.');
  return look;
}

/** The looks that the states of a chart have, for its legend. */
export function looksIn(states: readonly ChartState[]): readonly Look[] {
  const used = new Set(states.filter(({ children }) => children.length === 0).map(lookOf));
  return [...LOOKS, DECIDING].filter((look) => used.has(look));
}

export type ArrowKind = 'event' | 'done' | 'error' | 'always' | 'after';

export const ARROWS: Readonly<Record<ArrowKind, { readonly color: string; readonly style: string; readonly meaning: string }>> = {
  event: { color: '#2563eb', style: 'bold', meaning: 'an event from outside' },
  done: { color: '#334155', style: 'solid', meaning: 'the work of the state is done' },
  error: { color: '#dc2626', style: 'dashed', meaning: 'it failed' },
  always: { color: '#64748b', style: 'dotted', meaning: 'at once' },
  after: { color: '#7c3aed', style: 'solid', meaning: 'after a time' },
};
