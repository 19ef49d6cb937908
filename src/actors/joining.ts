/** Actors of `machines/joining.ts`, and the one that watches over a login while it is ours. */
import type { Wanted } from '../../machines/actor-contracts.ts';
import type { FlowTurn, Followed } from '../../machines/contracts.ts';
import { watchedPause } from '../durable/watched-pause.ts';
import { FailureError, failureOf } from '../failure.ts';
import { effect } from './effect.ts';
import type { Environment } from './environment.ts';
import { flowLeaseKey, letGo, tryTakeFlowTurn } from './flow-turn.ts';
import { obtainedElsewhere, readLogin, sharedFailure, shownGrant, unanswered, unfinishedLogin } from './shared-login.ts';

const FIRST_POLL_MS = 25;
/** With the lease's own time, a dead holder is succeeded within 5 seconds (RES-08). */
const LONGEST_POLL_MS = 500;

interface Joining extends Wanted {
  readonly leaseKey: string;
  readonly followed: Followed | undefined;
}

/** Nobody is asked twice: what another has obtained, or been refused, counts; only then is it anyone's turn. */
async function turnOf(environment: Environment, joining: Joining, signal: AbortSignal): Promise<FlowTurn> {
  const turn = await tryTakeFlowTurn(environment, joining.leaseKey, signal);
  try {
    const found = await outcomeOf(environment, joining, turn !== undefined);
    if (turn !== undefined && found.outcome !== 'begin' && found.outcome !== 'resume') await letGo(environment);
    return found;
  } catch (thrown) {
    if (turn !== undefined) await letGo(environment);
    throw thrown;
  }
}

async function outcomeOf(environment: Environment, joining: Joining, isOurTurn: boolean): Promise<FlowTurn> {
  const { journal } = environment;
  const { followed } = joining;
  const checkpoint = await readLogin(environment);
  const token = await obtainedElsewhere(environment, joining);
  if (token !== undefined) return { outcome: 'adopted', token };
  const failure = sharedFailure(checkpoint, followed, journal.version);
  if (failure !== undefined) return { outcome: 'ended', failure };
  if (isOurTurn)
    return (await unfinishedLogin(environment, checkpoint, joining)) ?? unanswered(environment, joining) ?? { outcome: 'begin' };
  const grant = await shownGrant(environment, checkpoint);
  const recordVersion = followed === undefined ? journal.version : followed.recordVersion;
  return { outcome: 'follow', followed: { recordVersion, ...(grant && { grant }) } };
}

export const takeFlowTurn = effect<'takeFlowTurn'>('authorization', (environment, { resource, account, ...wanted }, signal) =>
  turnOf(environment, { ...wanted, leaseKey: flowLeaseKey(resource, account) }, signal),
);

export const followFlow = effect<'followFlow'>('authorization', async (environment, { resource, account, followed, ...wanted }, signal) => {
  const { settings, store, flowKey } = environment;
  const { clock, limits } = settings;
  const leaseKey = flowLeaseKey(resource, account);
  const giveUpAtMs = Math.max(clock.now(), followed.grant?.deadlineEpochMs ?? 0) + 2 * limits.leaseWaitMs;
  // Counted in pauses: a clock that is set makes no outage longer or shorter.
  let failingForMs = 0;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, LONGEST_POLL_MS)) {
    await watchedPause({ store, clock }, { keys: [flowKey, leaseKey], durationMs: pollMs }, signal);
    try {
      const turn = await turnOf(environment, { ...wanted, followed, leaseKey }, signal);
      if (turn.outcome !== 'follow' || turn.followed.grant?.attemptId !== followed.grant?.attemptId) return turn;
      failingForMs = 0;
      // It keeps its lease and does nothing: nobody waits for ever.
      if (clock.now() >= giveUpAtMs) throw new FailureError('login_busy', 'authorization');
    } catch (thrown) {
      // The store has a bad moment: the login goes on elsewhere all the same.
      failingForMs += pollMs;
      if (failureOf(thrown, 'storage').code !== 'store_failed' || failingForMs > limits.leaseMs) throw thrown;
    }
  }
});

/** Another holds the lease, because this process was asleep, or has signed the account out: the store knows. */
export const keepFlowTurn = effect<'keepFlowTurn'>(
  'authorization',
  async (environment, _, signal) => {
    const { open, settings, store, flowKey, journal } = environment;
    const { flowTurn } = open;
    if (flowTurn === undefined) return never(signal);
    const pause = { durationMs: LONGEST_POLL_MS, background: true };
    const ended = AbortSignal.any([flowTurn.signal, signal]);
    while (await isKept(environment)) {
      await watchedPause({ store, clock: settings.clock }, { ...pause, keys: [flowKey] }, ended).catch(() => undefined);
      if (signal.aborted || open.flowTurn !== flowTurn) return never(signal);
      if (flowTurn.signal.aborted) break;
    }
    await letGo(environment);
    return { recordVersion: journal.version };
  },
  { isRecorded: true },
);

/** A store that has a bad moment tells nothing. */
async function isKept({ journal }: Environment): Promise<boolean> {
  try {
    return !(await journal.isOvertaken());
  } catch {
    return true;
  }
}

/** Rejects once nobody wants to know any more. */
function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
