/**
 * Walks the chart through every event and every outcome of its actors: no
 * effects, no time, only the states and how they follow from one another.
 */
import type { EventFromLogic, SnapshotFrom } from 'xstate';
import { adjacencyMapToArray, getAdjacencyMap } from 'xstate/graph';
import type { ActorName } from '../../machines/actor-contracts.ts';
import { type AuthorizationMachine, authorizationMachine } from '../../machines/authorization-machine.ts';
import type { AuthorizationEvent, Discovery } from '../../machines/contracts.ts';
import { failuresOf, GRANT, OUTPUTS, RESOURCE, TOKEN } from './actor-outcomes.ts';

export type Snapshot = SnapshotFrom<AuthorizationMachine>;
type ChartEvent = EventFromLogic<AuthorizationMachine>;

export interface Edge {
  readonly from: Vertex;
  readonly to: Vertex;
  readonly event: ChartEvent;
  /** The outcome of an actor, not something from outside. */
  readonly byActor: boolean;
}

export interface Vertex {
  readonly key: string;
  readonly snapshot: Snapshot;
  /** Path of the innermost state, with dots. */
  readonly state: string;
  readonly edges: readonly Edge[];
}

export const INPUT = {
  resource: RESOURCE,
  account: 'default',
  wellKnownUrls: [`${RESOURCE}/1`, `${RESOURCE}/2`],
  requestTries: 2,
};

const PUBLIC: readonly AuthorizationEvent[] = [
  { type: 'session.restore' },
  { type: 'authorization.begin' },
  { type: 'callback.received', attemptId: GRANT.attemptId },
  { type: 'callback.received', attemptId: 'another' },
  { type: 'client.provided' },
  { type: 'authorization.cancel' },
  { type: 'session.signOut', forgetRegistration: true },
];

/** Challenges to the token in use, to none, and to one that has been replaced. */
function challenges({ context }: Snapshot): readonly AuthorizationEvent[] {
  const tokenVersion = context.token === undefined ? {} : { tokenVersion: context.token.version };
  return [
    { type: 'challenge.received', challenge: { reason: 'unauthorized', ...tokenVersion } },
    { type: 'challenge.received', challenge: { reason: 'unauthorized', neverAccepted: true, ...tokenVersion } },
    { type: 'challenge.received', challenge: { reason: 'unauthorized', tokenVersion: 'replaced' } },
    { type: 'challenge.received', challenge: { reason: 'insufficient-scope', operation: 'POST /mcp', ...tokenVersion } },
    { type: 'challenge.received', challenge: { reason: 'expiring', tokenVersion: TOKEN.version } },
  ];
}

/** The public events that an active state says anything about; the others change nothing. */
function publicEvents(snapshot: Snapshot): readonly ChartEvent[] {
  const known = new Set(snapshot._nodes.flatMap((node) => node.ownEvents as readonly string[]));
  return [...PUBLIC, ...challenges(snapshot)].filter((event) => known.has(event.type));
}

/** Every outcome of the actors at work. */
function outcomes(snapshot: Snapshot): readonly ChartEvent[] {
  return snapshot._nodes.flatMap((node) =>
    node.invoke.flatMap(({ id, src }) => {
      const name = src as ActorName;
      return [
        ...OUTPUTS[name].map((output) => ({ type: `xstate.done.actor.${id}`, actorId: id, output })),
        ...failuresOf(name).map((error) => ({ type: `xstate.error.actor.${id}`, actorId: id, error })),
      ];
    }),
  ) as unknown as readonly ChartEvent[];
}

const eventsOf = (snapshot: Snapshot): readonly ChartEvent[] => [...publicEvents(snapshot), ...outcomes(snapshot)];

/**
 * What decides where the chart goes next: two snapshots with the same key are one
 * vertex. Counters count where they are looked at; which groups are there, everywhere.
 */
function keyOf(snapshot: Snapshot): string {
  const { context, value } = snapshot;
  const { challenge, discovery, client, grant, repeats } = context;
  const has = [context.token, context.authorizationServer, context.stepUp].map((group) => group !== undefined);
  if (snapshot.matches('resting') || snapshot.matches({ working: 'signingOut' })) return JSON.stringify([value, has, grant !== undefined]);
  const isLoggingIn = snapshot.matches({ working: 'loggingIn' });
  return JSON.stringify([
    value,
    has,
    challenge && [challenge.reason, challenge.neverAccepted],
    discovery && [discovery.staleBecause !== undefined, candidatesOf(snapshot, discovery)],
    { ...repeats, tries: isLoggingIn ? 0 : repeats.tries },
    isLoggingIn && [client?.source, grant !== undefined],
    snapshot.matches({ working: 'refreshing' }) && [context.warning?.code, context.warning?.details.tokenStillUsable],
  ]);
}

function candidatesOf(snapshot: Snapshot, discovery: Discovery): unknown {
  const isAt = (state: string): boolean => deepest(snapshot).key === state;
  if (isAt('lookingForResourceMetadata') || isAt('pausingForResourceMetadata')) return discovery.resourceIndex;
  if (!snapshot.matches({ working: 'discovering' })) return undefined;
  return [discovery.resourceMetadata?.authorization_servers.length, discovery.issuers.length, discovery.issuerIndex, discovery.urlIndex];
}

export function deepest(snapshot: Snapshot): Snapshot['_nodes'][number] {
  return snapshot._nodes.reduce((deep, node) => (node.path.length > deep.path.length ? node : deep));
}

/** All that can ever happen, from the state a new client is in. */
export function exploreChart(): readonly Vertex[] {
  const adjacency = getAdjacencyMap(authorizationMachine, {
    input: INPUT,
    serializeState: keyOf,
    events: eventsOf,
  });
  const vertices = new Map<string, Vertex & { readonly edges: Edge[] }>();
  const vertexOf = (snapshot: Snapshot): Vertex & { readonly edges: Edge[] } => {
    const key = keyOf(snapshot);
    const vertex = vertices.get(key) ?? { key, snapshot, state: deepest(snapshot).path.join('.'), edges: [] };
    vertices.set(key, vertex);
    return vertex;
  };
  for (const { state, event, nextState } of adjacencyMapToArray(adjacency)) {
    const from = vertexOf(state);
    from.edges.push({ from, to: vertexOf(nextState), event, byActor: event.type.startsWith('xstate.') });
  }
  return [...vertices.values()];
}

/** Every state node of the chart, parents included. */
export function stateNodes(): readonly Snapshot['_nodes'][number][] {
  const collect = (node: Snapshot['_nodes'][number]): Snapshot['_nodes'][number][] => [
    node,
    ...Object.values(node.states).flatMap(collect),
  ];
  return collect(authorizationMachine.root);
}
