import { describe, expect, it } from 'vitest';
import { statusOf } from '../../machines/selectors.ts';
import { deepest, type Edge, exploreChart, stateNodes, type Vertex } from './explore.ts';

const vertices = exploreChart();
const edges = vertices.flatMap((vertex) => vertex.edges);
const isResting = ({ snapshot }: Vertex): boolean => snapshot.matches('resting');
const isWaiting = ({ snapshot }: Vertex): boolean => snapshot.hasTag('waitingForUser');

/** The vertices from which some of `goals` can be reached along `usable` edges. */
function leadingTo(goals: readonly Vertex[], usable: (edge: Edge) => boolean): ReadonlySet<Vertex> {
  const into = new Map<Vertex, Edge[]>(vertices.map((vertex) => [vertex, []]));
  for (const edge of edges.filter(usable)) into.get(edge.to)?.push(edge);
  const found = new Set(goals);
  for (const vertex of found) for (const { from } of into.get(vertex) ?? []) found.add(from);
  return found;
}

const statesOf = (some: readonly Vertex[]): ReadonlySet<string> => new Set(some.map(({ state }) => state));
const NONE = new Set();

const describeEdge = ({ from, event, to }: Edge): string => `${from.state} --${event.type}--> ${to.state}`;

/** A way round in the graph of these edges, if there is one. */
function findCycle(usable: (edge: Edge) => boolean): readonly string[] | undefined {
  const done = new Set<Vertex>();
  const onPath = new Set<Vertex>();
  for (const start of vertices) {
    const stack: { readonly vertex: Vertex; readonly left: Edge[] }[] = [];
    const enter = (vertex: Vertex): void => {
      onPath.add(vertex);
      stack.push({ vertex, left: vertex.edges.filter(usable) });
    };
    if (!done.has(start)) enter(start);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.left.pop();
      if (next === undefined) {
        stack.pop();
        onPath.delete(top.vertex);
        done.add(top.vertex);
      } else if (onPath.has(next.to)) {
        return [...[...onPath].map(({ key }) => key), describeEdge(next)];
      } else if (!done.has(next.to)) {
        enter(next.to);
      }
    }
  }
  return undefined;
}

/** Another process has taken the login over, or has come further with it. */
function isOfAnother({ event, from, to }: Edge): boolean {
  return from.state === 'working.joining.following' ? to.state === from.state : event.type.endsWith('.loggingIn');
}

describe('the chart, walked through every event and every outcome of its actors', () => {
  it('has no state that is never reached (OBS-01)', () => {
    const reached = new Set(vertices.flatMap(({ snapshot }) => snapshot._nodes.map((node) => node.id)));
    const never = stateNodes().filter((node) => !reached.has(node.id));
    // Left in the same step as it is entered.
    expect(never.map((node) => node.id)).toEqual(['failing']);
  });

  it('comes to rest from every working state by what its actors answer, without being cancelled (RES-01)', () => {
    const resting = leadingTo(vertices.filter(isResting), (edge) => edge.byActor || edge.event.type === 'client.provided');
    expect(statesOf(vertices.filter((vertex) => !resting.has(vertex)))).toEqual(NONE);
  });

  it('comes to rest or to the user whatever servers answer: no outcomes lead in a circle (AUT-09, REG-06, ASM-07)', () => {
    // What another process does, and it may do it any number of times, is not of this chart.
    expect(findCycle((edge) => edge.byActor && !isOfAnother(edge))).toBeUndefined();
  });

  it('dies of no event: the chart stays active on every way (RES-01)', () => {
    expect(statesOf(vertices.filter(({ snapshot }) => snapshot.status !== 'active'))).toEqual(NONE);
  });

  it('goes to rest from every working state when it is cancelled, except from signing out (FET-07)', () => {
    const cancelled = edges.filter(({ from, event }) => event.type === 'authorization.cancel' && !isResting(from));
    const elsewhere = cancelled.filter(({ to }) => to.state !== 'resting.cancelled').map(describeEdge);
    expect(new Set(elsewhere)).toEqual(new Set(['working.signingOut --authorization.cancel--> working.signingOut']));
    expect(statesOf(cancelled.map(({ from }) => from))).toEqual(statesOf(vertices.filter((vertex) => !isResting(vertex))));
  });

  it('signs out from every state (OUT-02)', () => {
    const signedOut = new Set(
      edges.filter(({ event, to }) => event.type === 'session.signOut' && to.state === 'working.signingOut').map(({ from }) => from),
    );
    expect(statesOf(vertices.filter((vertex) => !signedOut.has(vertex)))).toEqual(NONE);
  });

  it('takes a callback only where its attempt waits for the user (AUT-05)', () => {
    const moved = edges.filter(({ event, from, to }) => event.type === 'callback.received' && from.state !== to.state);
    expect(new Set(moved.map(describeEdge))).toEqual(
      new Set([
        'working.loggingIn.presentingRequest --callback.received--> working.loggingIn.checkingCallback',
        'working.loggingIn.awaitingUser --callback.received--> working.loggingIn.checkingCallback',
        'working.loggingIn.reopeningRedirect --callback.received--> working.loggingIn.checkingCallback',
      ]),
    );
    expect(moved.every(({ event }) => 'attemptId' in event && event.attemptId === 'attempt')).toBe(true);
  });

  it('enters a state that is unsafe to repeat only after one that has looked in the store (RES-03)', () => {
    const entered = edges.filter(({ from, to }) => from.state !== to.state && to.snapshot.hasTag('unsafeToRepeat'));
    const entrances = new Set(entered.map(({ from, to }) => `${from.state} → ${deepest(to.snapshot).key}`));
    expect(entrances).toEqual(
      new Set([
        // The vault says whether the callback still has its code.
        'working.loggingIn.checkingCallback → exchangingCode',
        // The store says whether there is a registration.
        'working.loggingIn.findingClient → registering',
        // The store says whether another process has refreshed.
        'working.refreshing.takingTurn → requestingRefresh',
      ]),
    );
  });

  it('goes from restoring to no state that is unsafe to repeat (RES-03)', () => {
    const resumed = edges.filter(({ from, byActor }) => byActor && from.state === 'working.restoring').map(({ to }) => to);
    expect(statesOf(resumed.filter(({ snapshot }) => snapshot.hasTag('unsafeToRepeat')))).toEqual(NONE);
    expect(statesOf(resumed).size).toBeGreaterThan(5);
  });

  it('forgets why an earlier flow failed as soon as something new is under way (OBS-02)', () => {
    const late = vertices.filter((vertex) => !isResting(vertex) && vertex.state !== 'working.signingOut');
    expect(statesOf(late.filter(({ snapshot }) => snapshot.context.failure !== undefined))).toEqual(NONE);
  });

  it('has a status for every state, and says in every working one what it does (OBS-02)', () => {
    for (const { snapshot, state } of vertices) {
      const status = statusOf(snapshot);
      expect(status.step === 'idle', state).toBe(state === 'resting.idle');
      if ('description' in status) expect(status.description, state).not.toBe('');
    }
  });

  it('waits for the user only with an authorization URL or for a client identifier (OBS-02)', () => {
    const steps = vertices.filter(isWaiting).map(({ snapshot }) => statusOf(snapshot).step);
    expect(new Set(steps)).toEqual(new Set(['awaiting-user', 'awaiting-client', 'awaiting-other']));
  });
});

describe('what the chart keeps', () => {
  it('survives JSON, so that every state is a checkpoint (RES-01)', () => {
    for (const { snapshot } of vertices) {
      const { context, value } = snapshot;
      expect(JSON.parse(JSON.stringify({ context, value }))).toEqual(withoutUndefined({ context, value }));
    }
  });
});

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null) return value;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  return Object.fromEntries(Object.entries(value).flatMap(([name, item]) => (item === undefined ? [] : [[name, withoutUndefined(item)]])));
}
