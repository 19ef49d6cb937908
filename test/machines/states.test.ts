import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import type { ActorName } from '../../machines/actor-contracts.ts';
import { authorizationMachine } from '../../machines/authorization-machine.ts';
import { chart } from '../../machines/chart-setup.ts';
import { PUBLIC_EVENTS } from '../../machines/contracts.ts';
import { stubActors } from '../../machines/stub-actors.ts';
import { OUTPUTS } from './actor-outcomes.ts';
import { INPUT, stateNodes } from './explore.ts';

type StateNode = ReturnType<typeof stateNodes>[number];

const nodes = stateNodes();
const atomic = nodes.filter((node) => node.type === 'atomic');
const ids = (some: readonly StateNode[]): readonly string[] => some.map((node) => node.id);
const isUnder = (node: StateNode, parent: string): boolean => node.path[0] === parent;
const transitionsOf = (node: StateNode) => [...node.transitions.values(), ...(node.always ? [node.always] : [])].flat();

const TAGS = new Set(['working', 'waitingForUser', 'terminal', 'retryable', 'unsafeToRepeat']);

describe('every state of the chart', () => {
  it('has a description, a sentence (OBS-01)', () => {
    expect(ids(nodes.filter((node) => !/^[A-Z].+[.?]$/.test(node.description ?? '')))).toEqual([]);
  });

  it('names the rule it implements (OBS-01)', () => {
    expect(ids(nodes.filter((node) => !/^[A-Z]{3}-\d{2}$/.test(String(node.meta?.rule ?? ''))))).toEqual([]);
  });

  it('has tags, unless it rests with nothing to do for anyone (OBS-01)', () => {
    expect(ids(atomic.filter((node) => node.tags.length === 0))).toEqual(['idle', 'authorized', 'failing']);
    expect(nodes.flatMap((node) => node.tags).filter((tag) => !TAGS.has(tag))).toEqual([]);
  });

  it('is working or waits for the user while a flow is under way, and only then (OBS-01)', () => {
    const isBusy = (node: StateNode): boolean => node.tags.includes('working') || node.tags.includes('waitingForUser');
    expect(ids(atomic.filter((node) => isBusy(node) !== isUnder(node, 'working')))).toEqual([]);
  });

  it('has the name of its kind: work ends in -ing, somewhere in it (OBS-01)', () => {
    const working = atomic.filter((node) => node.tags.includes('working'));
    expect(working.map((node) => node.key).filter((key) => !/ing([A-Z]|$)/.test(key))).toEqual([]);
  });

  it('answers a cancellation while a flow is under way (OBS-01, FET-07)', () => {
    const answers = (node: StateNode | undefined): boolean =>
      node !== undefined && (node.ownEvents.includes('authorization.cancel') || answers(node.parent));
    expect(ids(atomic.filter((node) => isUnder(node, 'working') && !answers(node)))).toEqual([]);
  });

  it('has an effect while it works, and a way on from both of its outcomes (OBS-01)', () => {
    const working = atomic.filter((node) => node.tags.includes('working'));
    expect(ids(working.filter((node) => node.invoke.length !== 1))).toEqual([]);
    const outcomes = atomic.flatMap((node) => node.invoke.flatMap(({ id }) => [`xstate.done.actor.${id}`, `xstate.error.actor.${id}`]));
    const answered = new Set(nodes.flatMap((node) => node.ownEvents as readonly string[]));
    expect(outcomes.filter((outcome) => !answered.has(outcome))).toEqual([]);
  });
});

describe('every transition', () => {
  it('goes to a state of this chart (OBS-01)', () => {
    const known = new Set(nodes);
    const targets = nodes.flatMap((node) => transitionsOf(node).flatMap((transition) => transition.target ?? []));
    expect(targets.length).toBeGreaterThan(60);
    expect(targets.filter((target) => !known.has(target as StateNode))).toEqual([]);
  });

  it('could not even be written with another target (OBS-01)', () => {
    expect(() =>
      chart.createMachine({
        initial: 'here',
        context: authorizationMachine.config.context,
        states: { here: { on: { 'client.provided': '#nowhere' } } },
      }),
    ).toThrow(/nowhere/);
  });

  it('asks guards and runs actions that exist, and none exists in vain (OBS-01)', () => {
    // A name without an implementation is silently passed over by XState.
    const named = { guards: new Set<string>(), actions: new Set<string>() };
    const note = (kind: 'guards' | 'actions', reference: unknown): void => {
      if (typeof reference === 'string') named[kind].add(reference);
      else if (typeof reference === 'object' && reference !== null && 'type' in reference) named[kind].add(String(reference.type));
    };
    for (const node of nodes) {
      for (const action of [...node.entry, ...node.exit]) note('actions', action);
      for (const transition of transitionsOf(node)) {
        note('guards', transition.guard);
        for (const action of transition.actions) note('actions', action);
      }
    }
    const { guards, actions } = authorizationMachine.implementations;
    expect([...named.guards].sort()).toEqual(Object.keys(guards ?? {}).sort());
    expect([...named.actions].sort()).toEqual(Object.keys(actions ?? {}).sort());
  });

  it('is caused by a public event or by an actor of its own state (OBS-04)', () => {
    const own = new Set(nodes.flatMap((node) => node.invoke.flatMap(({ id }) => [`xstate.done.actor.${id}`, `xstate.error.actor.${id}`])));
    const foreign = nodes
      .flatMap((node) => node.ownEvents as readonly string[])
      .filter((event) => !PUBLIC_EVENTS.has(event) && !own.has(event));
    expect(foreign).toEqual([]);
    const used = new Set(nodes.flatMap((node) => node.ownEvents as readonly string[]));
    expect([...PUBLIC_EVENTS].filter((event) => !used.has(event))).toEqual([]);
  });
});

describe('every actor', () => {
  const invoked = new Set(nodes.flatMap((node) => node.invoke.map(({ src }) => String(src))));
  const names = Object.keys(stubActors) as ActorName[];

  it('is invoked by some state, and no other is (OBS-01)', () => {
    expect([...invoked].sort()).toEqual([...names].sort());
    expect(Object.keys(OUTPUTS).sort()).toEqual([...names].sort());
  });

  it.each(names)('%s rejects with what to provide, where it was not provided (OBS-01)', async (name) => {
    const actor = createActor(stubActors[name], { input: {} as never });
    const rejected = new Promise((_resolve, reject) => actor.subscribe({ error: reject }));
    actor.start();
    await expect(rejected).rejects.toMatchObject({ code: 'invalid_configuration', message: expect.stringContaining(`provide ${name}:`) });
  });

  it('ends the flow in a failure that names it, where the chart is used as it ships (OBS-01)', async () => {
    const actor = createActor(authorizationMachine, { input: INPUT }).start();
    const failed = new Promise<string>((resolve) =>
      actor.subscribe(({ context }) => {
        if (context.failure !== undefined) resolve(context.failure.message);
      }),
    );
    actor.send({ type: 'challenge.received', challenge: { reason: 'unauthorized' } });
    expect(await failed).toContain('provide lookForResourceMetadata');
    actor.stop();
  });
});
