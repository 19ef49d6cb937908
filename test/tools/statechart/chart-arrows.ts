/** Which arrows a picture of a chart needs: fewer than the chart has transitions, but none of them untold. */
import type { ArrowKind } from './chart-looks.ts';
import { type ChartState, type ChartTransition, hasParts, withDescendants } from './chart-model.ts';

export interface Arrow {
  /** Path of the state it starts from. */
  readonly from: string;
  readonly to: ChartState;
  readonly kind: ArrowKind;
  /** One line for every transition it stands for; empty for a plain one. */
  readonly labels: readonly string[];
  /** Drawn as a chip that names the target, because a line would cross the picture. */
  readonly isChip: boolean;
}

export interface Arrows {
  readonly arrows: readonly Arrow[];
  /** Where errors go that no arrow takes; left out of `arrows`. */
  readonly usualErrors: { readonly from: string; readonly to: ChartState } | undefined;
}

const isUnguardedError = ({ trigger, guard, to }: ChartTransition) => trigger === 'error' && guard === undefined && to !== undefined;

/** The target most states send their remaining errors to, so that it need not be drawn for each. */
function usualErrorTarget(states: readonly ChartState[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { to } of states.flatMap(({ transitions }) => transitions.filter(isUnguardedError))) {
    if (to !== undefined) counts.set(to, (counts.get(to) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
}

function labelOf({ trigger, name, guard }: ChartTransition): string {
  const condition = guard === undefined ? '' : `[${guard}]`;
  if (trigger === 'event') return `${name} ${condition}`.trim();
  if (trigger === 'error') return `error ${condition}`.trim();
  return condition;
}

/** Two transitions with the same ends and of the same kind become one arrow. */
function joined(arrows: readonly Arrow[]): readonly Arrow[] {
  const byEnds = new Map<string, Arrow[]>();
  for (const arrow of arrows) {
    const ends = `${arrow.from} ${arrow.to.path} ${arrow.kind}`;
    byEnds.set(ends, [...(byEnds.get(ends) ?? []), arrow]);
  }
  return [...byEnds.values()].flatMap(([first, ...rest]) => {
    if (first === undefined) return [];
    const labels = [first, ...rest].flatMap(({ labels: own }) => own);
    // A plain transition needs no words beside guarded ones between the same states: it always applies.
    return [{ ...first, labels: labels.includes('') ? [] : labels }];
  });
}

/**
 * Into another top-level part, into the middle of another group of states, or back to a
 * group that comes before: such an arrow says where the flow goes on, but its line would
 * only hide the others.
 */
function crossesPicture(order: readonly string[], from: string, to: ChartState): boolean {
  if (from.split('.')[0] !== to.path.split('.')[0]) return true;
  const isInside = `${from}.`.startsWith(`${parentOf(to.path)}.`);
  if (to.children.length === 0) return !isInside;
  return !from.startsWith(`${to.path}.`) && order.indexOf(to.path) < order.indexOf(from);
}

/**
 * Without parts: of several states that lead to one, the last draws its arrow, and whoever
 * is right before it. Further lines to the same place would cross the way everybody takes.
 */
function isRepeated(states: readonly ChartState[], from: string, to: ChartState): boolean {
  const leading = states.filter(({ path, transitions }) => path !== to.path && transitions.some((transition) => transition.to === to.path));
  const isNext = states[states.findIndex(({ path }) => path === from) + 1]?.path === to.path;
  return !isNext && from !== to.path && from !== leading.at(-1)?.path;
}

/** Whoever comes from outside to the state a part begins with enters that part. */
function entered(byPath: ReadonlyMap<string, ChartState>, from: string, to: ChartState): ChartState {
  const parent = byPath.get(parentOf(to.path));
  const isEntry = parent?.initial === to.path && parent.path.includes('.') && !from.startsWith(`${parent.path}.`);
  return isEntry ? parent : to;
}

const parentOf = (path: string): string => path.split('.').slice(0, -1).join('.');

export function arrowsOf(root: ChartState): Arrows {
  const states = withDescendants(root);
  const byPath = new Map(states.map((state) => [state.path, state]));
  const order = states.map(({ path }) => path);
  const isFlat = !hasParts(root);
  const usual = isFlat ? undefined : usualErrorTarget(states);

  const arrows = states.flatMap(({ transitions }) =>
    transitions.flatMap((transition): readonly Arrow[] => {
      const target = transition.to === undefined ? undefined : byPath.get(transition.to);
      if (target === undefined || (isUnguardedError(transition) && target.path === usual)) return [];
      const { from, trigger } = transition;
      const to = entered(byPath, from, target);
      return [
        {
          from,
          to,
          kind: trigger,
          labels: [labelOf(transition)],
          isChip: isFlat ? isRepeated(states, from, to) : crossesPicture(order, from, to),
        },
      ];
    }),
  );
  const usualTarget = usual === undefined ? undefined : byPath.get(usual);
  const firstFailing = states.find(({ transitions }) => transitions.some((one) => isUnguardedError(one) && one.to === usual));
  return {
    arrows: joined(arrows),
    usualErrors: usualTarget &&
      firstFailing && { from: firstFailing.path.split('.')[0] ?? '', to: entered(byPath, firstFailing.path, usualTarget) },
  };
}
