import { describe, expect, it } from 'vitest';
import { createActor, fromPromise, type StateNode, transition, waitFor } from 'xstate';
import type { TransactionContext, TransactionEvent, TransactionInput } from '../../machines/gateway/transaction-contracts.ts';
import { transactionMachine, transactionStubs } from '../../machines/gateway/transaction-machine.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/durable/checkpoint.ts';
import type { JsonObject } from '../../src/stores/contract.ts';

const INPUT: TransactionInput = {
  id: '1.x',
  request: { clientId: 'c', redirectUri: 'https://client.example.com/cb', scopes: ['read'], codeChallenge: 'x' },
  deadlineEpochMs: 1,
};
const CODE = { digest: 'd', deadlineEpochMs: 2, grantId: 'g' };

const nodes = Object.values(transactionMachine.root.states) as unknown as StateNode[];
const keys = (some: readonly StateNode[]): readonly string[] => some.map(({ key }) => key);
const transitions = nodes.flatMap((node) => [...node.transitions.values()].flat());

/** The chart with actors that succeed, and what it is told, one after the other. */
async function walk(events: readonly TransactionEvent[], failing: readonly string[] = []): Promise<string> {
  const outcome = (name: string, output: object) =>
    // A rejection that is not ours must not reach anybody as it is.
    fromPromise(() => (failing.includes(name) ? Promise.reject(new Error('secret')) : Promise.resolve(output))) as never;
  const actor = createActor(
    transactionMachine.provide({
      actors: {
        openConsent: outcome('openConsent', { browserDigest: 'b', formDigest: 'f' }),
        prepareUpstream: outcome('prepareUpstream', { browserDigest: 'b', stateDigest: 's' }),
        exchangeUpstream: outcome('exchangeUpstream', { code: CODE }),
        endGrant: outcome('endGrant', {}),
      },
    }),
    { input: INPUT },
  ).start();
  const rest = () => waitFor(actor, (snapshot) => !snapshot.hasTag('working'));
  await rest();
  for (const event of events) {
    actor.send(event);
    await rest();
  }
  expect(JSON.stringify(actor.getSnapshot().context)).not.toContain('secret');
  return String(actor.getSnapshot().value);
}

const given: TransactionEvent = { type: 'consent.given' };
const arrived: TransactionEvent = { type: 'callback.arrived' };
const presented: TransactionEvent = { type: 'code.presented' };
const late: TransactionEvent = { type: 'deadline.passed' };
const failedBy = (error: string): TransactionEvent => ({ type: 'callback.failed', failure: { error } });

describe('the chart of a transaction', () => {
  it('describes every state, names its rule, and tags it (GWY-04)', () => {
    expect(keys(nodes.filter((node) => !/^[A-Z].+\.$/.test(node.description ?? '')))).toEqual([]);
    expect(keys(nodes.filter((node) => !/^GWY-\d{2}$/.test(String(node.meta?.rule))))).toEqual([]);
    expect(keys(nodes.filter((node) => node.tags.length === 0))).toEqual([]);
  });

  it('works where it has an effect, and nowhere else (GWY-04)', () => {
    expect(keys(nodes.filter((node) => node.tags.includes('working') !== (node.invoke.length === 1)))).toEqual([]);
    const invoked = nodes.flatMap((node) => node.invoke.map(({ src }) => String(src)));
    expect([...new Set(invoked)].sort()).toEqual(Object.keys(transactionStubs).sort());
  });

  it('goes to states of its own only (GWY-04)', () => {
    expect(transitions.length).toBeGreaterThan(18);
    const targets = transitions.flatMap(({ target }) => target ?? []);
    expect(targets.filter((target) => !nodes.includes(target as StateNode))).toEqual([]);
  });

  it('hands out tokens by the first presentation of a code, and by nothing else (GWY-08)', () => {
    const leading = transitions.filter(({ target }) => target?.some(({ key }) => key === 'redeemed'));
    expect(leading.map(({ source, eventType }) => [source.key, eventType])).toEqual([['codeIssued', 'code.presented']]);
  });

  it.each<[string, readonly TransactionEvent[], (readonly string[])?]>([
    ['awaitingConsent', []],
    ['sentUpstream', [given]],
    ['codeIssued', [given, arrived]],
    ['redeemed', [given, arrived, presented]],
    ['replayed', [given, arrived, presented, presented]],
    ['replayed', [given, arrived, presented, presented, presented]],
    ['revocationPending', [given, arrived, presented, presented], ['endGrant']],
    ['revocationPending', [given, arrived, presented, presented, presented, late], ['endGrant']],
    ['denied', [{ type: 'consent.refused' }]],
    ['denied', [given, failedBy('access_denied')]],
    ['failed', [given, failedBy('server_error')]],
    ['failed', [], ['openConsent']],
    ['failed', [given], ['prepareUpstream']],
    ['failed', [given, arrived], ['exchangeUpstream']],
    ['expired', [late]],
    ['expired', [given, late]],
    ['expired', [given, arrived, late]],
    ['lapsePending', [given, arrived, late], ['endGrant']],
    ['lapsePending', [given, arrived, late, presented, late], ['endGrant']],
    // What comes out of turn changes nothing.
    ['awaitingConsent', [arrived, presented, failedBy('access_denied')]],
    ['sentUpstream', [given, given, presented]],
    ['codeIssued', [given, arrived, arrived, failedBy('access_denied'), given]],
    ['redeemed', [given, arrived, presented, arrived, late, given]],
    ['denied', [{ type: 'consent.refused' }, given, arrived, presented]],
    ['expired', [late, given, arrived, presented]],
  ])('is %s after %j (GWY-04)', async (state, events, failing = []) => {
    expect(await walk(events, failing)).toBe(state);
  });

  it('fails and names what to provide, where it is used as it ships (GWY-04)', async () => {
    const actor = createActor(transactionMachine, { input: INPUT }).start();
    const settled = await waitFor(actor, (snapshot) => !snapshot.hasTag('working'));
    expect(settled.value).toBe('failed');
    expect(settled.context.failure?.code).toContain('provide openConsent');
  });
});

const EVENTS: Readonly<Record<string, TransactionEvent>> = {
  given,
  refused: { type: 'consent.refused' },
  arrived,
  'refused upstream': failedBy('access_denied'),
  'failed upstream': failedBy('server_error'),
  presented,
  late,
};

/** What each event leads to; whatever is not named changes nothing. */
const TABLE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  received: {},
  awaitingConsent: { given: 'sendingUpstream', refused: 'denied', late: 'expired' },
  sendingUpstream: {},
  sentUpstream: { arrived: 'exchanging', 'refused upstream': 'denied', 'failed upstream': 'failed', late: 'expired' },
  exchanging: {},
  codeIssued: { presented: 'redeemed', late: 'lapsing' },
  redeemed: { presented: 'revoking' },
  // Their process died, or another one is at it: whoever shows the code, or comes later, ends the grant.
  lapsing: { presented: 'lapsing', late: 'lapsing' },
  revoking: { presented: 'revoking', late: 'revoking' },
  lapsePending: { presented: 'lapsing', late: 'lapsing' },
  revocationPending: { presented: 'revoking', late: 'revoking' },
  replayed: {},
  denied: {},
  failed: {},
  expired: {},
};

/** The longest context there can be. */
const CONTEXT: TransactionContext = {
  ...INPUT,
  browserDigest: 'b',
  formDigest: 'f',
  stateDigest: 's',
  code: CODE,
  failure: { error: 'server_error', code: 'network_timeout' },
};
const snapshotOf = (value: string) => transactionMachine.resolveState({ value, context: CONTEXT });

describe('every state of a transaction', () => {
  it('is in the table, and is reached from the first one (GWY-04)', () => {
    expect(Object.keys(TABLE).sort()).toEqual([...keys(nodes)].sort());
    const reached = new Set([String(transactionMachine.root.initial.target[0]?.key)]);
    for (const key of reached) {
      for (const { source, target } of transitions) if (source.key === key) for (const next of target ?? []) reached.add(next.key);
    }
    expect([...reached].sort()).toEqual([...keys(nodes)].sort());
  });

  it.each(Object.entries(TABLE).flatMap(([state, row]) => Object.keys(EVENTS).map((event) => [state, event, row[event]] as const)))(
    '%s, told %s, is %s then (GWY-04)',
    (state, event, expected) => {
      const before = snapshotOf(state);
      const told = EVENTS[event] as TransactionEvent;
      expect(before.can(told)).toBe(expected !== undefined);
      const [after] = transition(transactionMachine, before, told);
      expect(after.value).toBe(expected ?? state);
      if (expected === undefined) expect(after.context).toEqual(before.context);
    },
  );

  it.each(Object.keys(TABLE))('%s comes back from its checkpoint as it was (GWY-04)', (state) => {
    const before = snapshotOf(state);
    const checkpoint = encodeCheckpoint({ value: state, context: before.context as unknown as JsonObject, writtenAtEpochMs: 1 });
    const read = decodeCheckpoint(JSON.parse(JSON.stringify(checkpoint)));
    const after = transactionMachine.resolveState({ value: read.value as string, context: read.context as unknown as TransactionContext });
    expect(after.value).toBe(state);
    expect(after.context).toEqual(CONTEXT);
    expect([...after.tags]).toEqual([...before.tags]);
    expect(Object.values(EVENTS).map((event) => after.can(event))).toEqual(Object.values(EVENTS).map((event) => before.can(event)));
  });
});
