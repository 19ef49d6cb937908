import { describe, expect, it } from 'vitest';
import { createActor, fromPromise, type StateNode, waitFor } from 'xstate';
import type { TransactionEvent, TransactionInput } from '../../machines/gateway/transaction-contracts.ts';
import { transactionMachine, transactionStubs } from '../../machines/gateway/transaction-machine.ts';

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

  it.each<[string, readonly TransactionEvent[], (readonly string[])?]>([
    ['awaitingConsent', []],
    ['sentUpstream', [given]],
    ['codeIssued', [given, arrived]],
    ['redeemed', [given, arrived, presented]],
    ['replayed', [given, arrived, presented, presented]],
    ['replayed', [given, arrived, presented, presented, presented]],
    ['redeemed', [given, arrived, presented, presented], ['endGrant']],
    ['denied', [{ type: 'consent.refused' }]],
    ['denied', [given, failedBy('access_denied')]],
    ['failed', [given, failedBy('server_error')]],
    ['failed', [], ['openConsent']],
    ['failed', [given], ['prepareUpstream']],
    ['failed', [given, arrived], ['exchangeUpstream']],
    ['expired', [late]],
    ['expired', [given, late]],
    ['expired', [given, arrived, late]],
    ['expired', [given, arrived, late], ['endGrant']],
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
