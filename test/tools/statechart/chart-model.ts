/** A statechart as plain data, read from an XState machine: what the picture and the table are made from. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

export type Trigger = 'event' | 'done' | 'error' | 'always' | 'after';

export interface ChartTransition {
  readonly from: string;
  /** Absent: the event is answered without leaving the state. */
  readonly to?: string;
  readonly trigger: Trigger;
  /** The event's name; for `done` and `error` the actor's. */
  readonly name: string;
  readonly guard?: string;
  readonly actions: readonly string[];
}

export interface ChartState {
  /** Keys from the root, joined by dots; the root itself is left out. */
  readonly path: string;
  readonly key: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly rule?: string;
  readonly actors: readonly string[];
  readonly initial?: string;
  readonly children: readonly ChartState[];
  readonly transitions: readonly ChartTransition[];
}

/** Answers every property with itself, so that a params function can be run to see which constants it holds. */
const anything: object = new Proxy(() => anything, { get: (_, key) => (key === Symbol.toPrimitive ? () => '' : anything) });

function constants(params: unknown): readonly string[] {
  const values: unknown = typeof params === 'function' ? params({ context: anything, event: anything }) : params;
  if (typeof values !== 'object' || values === null) return [];
  return Object.values(values).filter((value) => typeof value === 'string');
}

interface Named {
  readonly type: string;
  readonly params?: unknown;
}

function nameOf(what: unknown, where: string): string {
  if (typeof what === 'string') return what;
  // XState's own actions (`assign` and others) are functions that carry their type.
  if (typeof what === 'function' && !('type' in what)) {
    if (what.name === '') throw new Error(`${where} has a nameless function: put it into setup() under a name.`);
    return what.name;
  }
  const { type, params } = what as Named;
  const values = constants(params);
  return values.length === 0 ? type : `${type}: ${values.join(', ')}`;
}

function triggerOf({ eventType }: AnyTransitionDefinition): Trigger {
  if (eventType === '') return 'always';
  if (eventType.startsWith('xstate.done.')) return 'done';
  if (eventType.startsWith('xstate.error.')) return 'error';
  return eventType.startsWith('xstate.after.') ? 'after' : 'event';
}

function transitionOf(node: AnyStateNode, definition: AnyTransitionDefinition): ChartTransition {
  const where = `A transition of ${pathOf(node)}`;
  const trigger = triggerOf(definition);
  const actor = node.invoke[0]?.src;
  const target = definition.target?.[0];
  return {
    from: pathOf(node),
    ...(target && { to: pathOf(target) }),
    trigger,
    name: trigger === 'done' || trigger === 'error' ? nameOf(actor, where) : definition.eventType,
    ...(definition.guard !== undefined && { guard: nameOf(definition.guard, where) }),
    actions: definition.actions.map((action: unknown) => nameOf(action, where)),
  };
}

function pathOf(node: AnyStateNode): string {
  return node.path.join('.');
}

function stateOf(node: AnyStateNode): ChartState {
  if (node.description === undefined) throw new Error(`State ${pathOf(node)} has no description.`);
  const initial = node.initial?.target?.[0];
  return {
    path: pathOf(node),
    key: node.key,
    description: node.description,
    tags: node.tags,
    ...(typeof node.meta?.rule === 'string' && { rule: node.meta.rule }),
    actors: node.invoke.map((invoke: { src: unknown }) => nameOf(invoke.src, pathOf(node))),
    ...(initial && { initial: pathOf(initial) }),
    children: Object.values(node.states).map(stateOf),
    transitions: [...[...node.transitions.values()].flat(), ...(node.always ?? [])].map((one) => transitionOf(node, one)),
  };
}

export function readChart(machine: AnyStateMachine): ChartState {
  return stateOf(machine.root);
}

/** The state and everything inside it, outermost first. */
export function withDescendants(state: ChartState): readonly ChartState[] {
  return [state, ...state.children.flatMap(withDescendants)];
}

/** False where no state is inside another: such a chart needs no boxes, and all of its arrows fit in. */
export function hasParts({ children }: ChartState): boolean {
  return children.some((child) => child.children.length > 0);
}
