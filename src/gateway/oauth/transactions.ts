/**
 * Runs the chart of a transaction for one request at a time, over the store: read its
 * checkpoint, tell it what happened, wait until it rests, write. Every write is based
 * on the version read, so that of two replicas that are told the same at once one goes
 * on, and the other finds what became of it (GWY-04).
 */
import { type AnyActorRef, createActor, fromPromise, type SnapshotFrom, waitFor } from 'xstate';
import type {
  TransactionActorContracts,
  TransactionActorName,
  TransactionContext,
  TransactionEvent,
  TransactionFailure,
  TransactionRequest,
} from '../../../machines/gateway/transaction-contracts.ts';
import { type TransactionActors, type TransactionMachine, transactionMachine } from '../../../machines/gateway/transaction-machine.ts';
import { createJournal, type Journal } from '../../durable/journal.ts';
import { tolerantInspector } from '../../durable/tolerant-inspector.ts';
import { FailureError, failureOf } from '../../failure.ts';
import type { JsonObject, JsonValue } from '../../stores/contract.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { createSlots } from './slots.ts';

export interface TransactionState {
  readonly step: string;
  readonly context: TransactionContext;
}

/** What the chart asks for, done for one request; secrets travel beside the chart, in the closure. */
export type TransactionEffects = {
  readonly [Name in TransactionActorName]?: (
    input: TransactionActorContracts[Name]['input'],
  ) => Promise<TransactionActorContracts[Name]['output']>;
};

export interface Transactions {
  /** `undefined`: there are as many as there may be. */
  begin(request: TransactionRequest, effects: TransactionEffects): Promise<TransactionState | undefined>;
  /** As it is in the store: whether its deadline has passed is for the caller to see. */
  read(id: string): Promise<TransactionState | undefined>;
  /**
   * Tells the transaction of an event and waits until it rests. Where the step it is in takes no such event (any more),
   * nothing happens and the present state is returned; `isTaken` says whether it was. `undefined`: there is none.
   */
  send(
    id: string,
    event: TransactionEvent,
    effects: TransactionEffects,
  ): Promise<{ readonly state: TransactionState; readonly isTaken: boolean } | undefined>;
}

/** Terminal transactions stay this long: a code or callback that comes again is then known as such. */
const KEPT_MS = 10 * 60_000;
const ROUNDS = 5;

interface Running {
  readonly journal: Journal;
  readonly effects: TransactionEffects;
}

const running = new WeakMap<AnyActorRef['system'], Running>();

/** The effect runs once the step that asked for it is stored: what must not happen twice does not (write-ahead). */
function effect<Name extends TransactionActorName>(name: Name): TransactionActors[Name] {
  return fromPromise(async ({ input, system }: { input: unknown; system: AnyActorRef['system'] }) => {
    const run = running.get(system);
    const perform = run?.effects[name] as ((input: unknown) => Promise<unknown>) | undefined;
    try {
      if (run === undefined || perform === undefined)
        throw new FailureError('internal_error', 'authorization', { reason: `Nothing does ${name}.` });
      // The observer that records the step is told after its actors were started.
      await undefined;
      await run.journal.flushed();
      return await perform(input);
    } catch (thrown) {
      throw transactionFailureOf(thrown);
    }
  }) as unknown as TransactionActors[Name];
}

// Provided once a process: it copies every state.
const machine = transactionMachine.provide({
  actors: {
    openConsent: effect('openConsent'),
    prepareUpstream: effect('prepareUpstream'),
    exchangeUpstream: effect('exchangeUpstream'),
    endGrant: effect('endGrant'),
  },
}) as TransactionMachine;

export function createTransactions(settings: Pick<GatewaySettings, 'store' | 'clock' | 'limits' | 'log' | 'inspect'>): Transactions {
  const { store, clock, limits, log } = settings;
  const inspect = settings.inspect && tolerantInspector(settings.inspect, () => log('error', 'gateway.inspector-failed'));
  const slots = createSlots(store, 'transaction', limits.transactions);

  const journalOf = (id: string): Journal =>
    createJournal({
      store,
      clock,
      key: slots.keyOf(id) ?? '',
      expiresAtEpochMs: (context) => {
        const { deadlineEpochMs, code, stateDigest } = context as unknown as TransactionContext;
        // Anybody can have a consent page shown: it leaves nothing behind.
        return stateDigest === undefined ? deadlineEpochMs : Math.max(deadlineEpochMs, code?.deadlineEpochMs ?? 0) + KEPT_MS;
      },
      report: ({ code }) => log('warn', 'gateway.transaction-not-stored', { code }),
    });

  const run = async (o: Running & { from?: SnapshotFrom<TransactionMachine>; input: TransactionContext; event?: TransactionEvent }) => {
    const actor = createActor(machine, { input: o.input, ...(o.from && { snapshot: o.from }), ...(inspect && { inspect }) });
    running.set(actor.system, o);
    let isFirst = o.from !== undefined;
    actor.subscribe((snapshot) => {
      if (!isFirst) o.journal.record(snapshot.value as JsonValue, plain(snapshot.context));
      isFirst = false;
    });
    actor.start();
    if (o.event !== undefined) actor.send(o.event);
    const settled = await waitFor(actor, (snapshot) => !snapshot.hasTag('working'));
    actor.stop();
    await o.journal.flushed();
    return { step: String(settled.value), context: settled.context };
  };

  const load = async (id: string) => {
    const journal = journalOf(id);
    const checkpoint = slots.keyOf(id) === undefined ? undefined : await journal.read();
    const context = checkpoint?.context as unknown as TransactionContext | undefined;
    if (checkpoint === undefined || context?.id !== id) return undefined;
    const from = machine.resolveState({ value: checkpoint.value as string, context });
    return { journal, context, from, step: String(from.value) };
  };

  /** One event, as often as another replica gets in between. */
  const send = async (id: string, event: TransactionEvent, effects: TransactionEffects) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const loaded = await load(id);
      if (loaded === undefined) return undefined;
      const { journal, from, context, step } = loaded;
      if (!from.can(event)) return { state: { step, context }, isTaken: false };
      try {
        return { state: await run({ journal, effects, from, input: context, event }), isTaken: true };
      } catch (thrown) {
        if (!isOvertaken(thrown)) throw thrown;
      }
    }
    throw new FailureError('store_failed', 'storage', { reason: 'Other processes kept changing the transaction.' });
  };

  return {
    async begin(request, effects) {
      for (let round = 0; round < ROUNDS; round += 1) {
        const id = await slots.free();
        if (id === undefined) return undefined;
        const input = { id, request, deadlineEpochMs: clock.now() + limits.transactionSeconds * 1000 };
        try {
          return await run({ journal: journalOf(id), effects, input });
        } catch (thrown) {
          // Another was given the same slot at the same moment, and wrote first: no effect has run.
          if (!isOvertaken(thrown)) throw thrown;
        }
      }
      return undefined;
    },
    async read(id) {
      const loaded = await load(id);
      return loaded && { step: loaded.step, context: loaded.context };
    },
    send,
  };
}

/** The journal was overtaken inside an effect, too: it reaches the chart as a failure, and then its own write as well. */
function isOvertaken(thrown: unknown): boolean {
  return thrown instanceof FailureError && thrown.failure.code === 'flow_taken_over';
}

function plain(context: TransactionContext): JsonObject {
  return context as unknown as JsonObject;
}

/** What a client may know of a failure upstream, and its code for the log. */
function transactionFailureOf(thrown: unknown): TransactionFailure {
  const { code, retryable } = failureOf(thrown, 'authorization');
  if (code === 'authorization_denied') return { error: 'access_denied', code };
  if (code === 'scope_not_granted') return { error: 'invalid_scope', code };
  return { error: retryable ? 'temporarily_unavailable' : 'server_error', code };
}

export { transactionFailureOf };
