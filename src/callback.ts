/** Takes the callback of an attempt, wherever it arrives: proven by its `state`, stored before anything acts on it (AUT-05, RES-08). */
import { type AuthorizationSnapshot, grantUnderWay, isResting } from '../machines/selectors.ts';
import type { Environment } from './actors/environment.ts';
import { storedLogin } from './actors/stored-context.ts';
import { AuthorizationError } from './errors.ts';
import { FailureError, failureOf } from './failure.ts';
import type { Flow } from './flow.ts';
import { readCallback } from './protocol/authorization-response.ts';
import { until } from './until.ts';
import type { CallbackOutcome } from './user-agents/contract.ts';

/** Accepts the callback and waits for the outcome of the flow. */
export async function completeAuthorization(flow: Flow, callbackUrl: string): Promise<void> {
  await acceptCallback(flow, callbackUrl);
  await flow.settled();
}

/**
 * Accepts the callback; the flow goes on with it. A client that has not read the store yet takes the callback in first:
 * read before, the flow would send the user, who is back, to the page once more.
 *
 * @throws AuthorizationError `callback_not_expected` if no attempt waits for it.
 */
export async function acceptCallback(flow: Flow, callbackUrl: string): Promise<void> {
  try {
    const isUnread = !flow.actor.getSnapshot().context.restored;
    // A process that died had accepted it: the restored flow goes on with it by itself.
    if (isUnread && (await isInVault(flow.environment, callbackUrl))) await flow.restored();
    else await accept(flow, callbackUrl);
  } catch (thrown) {
    if (thrown instanceof AuthorizationError) throw thrown;
    throw new AuthorizationError(failureOf(thrown, 'authorization'));
  }
}

/**
 * Accepts the callback and waits until it has been checked, so that the page the
 * user sees can say what became of it. Never rejects.
 */
export async function deliverCallback(flow: Flow, callbackUrl: string): Promise<CallbackOutcome> {
  try {
    await accept(flow, callbackUrl);
    const snapshot = await until(flow.actor, isChecked);
    const { failure } = snapshot.context;
    return isResting(snapshot) && failure !== undefined ? { accepted: false, failure } : { accepted: true };
  } catch (thrown) {
    return { accepted: false, failure: thrown instanceof AuthorizationError ? thrown.failure : failureOf(thrown, 'authorization') };
  }
}

const isWaiting = (snapshot: AuthorizationSnapshot): boolean =>
  snapshot.matches({ working: { loggingIn: 'awaitingUser' } }) ||
  snapshot.matches({ working: { loggingIn: 'presentingRequest' } }) ||
  snapshot.matches({ working: { loggingIn: 'reopeningRedirect' } });

/** The store is not being read: what it held is known here. */
const isRead = (snapshot: AuthorizationSnapshot): boolean =>
  !snapshot.matches({ working: 'restoring' }) && !snapshot.matches({ working: { joining: 'takingTurn' } });

const isChecked = (snapshot: AuthorizationSnapshot): boolean =>
  !isWaiting(snapshot) &&
  !snapshot.matches({ working: { loggingIn: 'checkingCallback' } }) &&
  !snapshot.matches({ working: 'joining' }) &&
  isRead(snapshot);

async function accept({ actor, send, environment }: Flow, callbackUrl: string): Promise<void> {
  const { attempts, flowKey, cleanUps } = environment;
  const { state } = readCallback(callbackUrl);
  // An attempt that has just ended is still being deleted: its callback is as late as it will ever be.
  await Promise.all(cleanUps);
  const attempt = state === undefined ? undefined : await attempts.findByState(state);
  if (state === undefined || attempt === undefined || attempt.flowKey !== flowKey) throw notExpected('Its state is unknown.');
  const isOurs = (snapshot: AuthorizationSnapshot): boolean => grantUnderWay(snapshot)?.attemptId === attempt.attemptId;
  const before = await until(actor, isRead);
  // Another attempt of this account is under way: the older page must not disturb it.
  if (!isOurs(before) && !(isResting(before) && (await isParked(environment, attempt.attemptId)))) {
    throw notExpected('Another authorization has taken its place.');
  }
  const acceptance = await attempts.acceptCallback(state, callbackUrl);
  if (acceptance === 'used') throw notExpected('It was used before.');
  if (acceptance === 'unknown') throw notExpected('Its state is unknown, or its deadline has passed.');
  // Another caller may have begun to read the store meanwhile, and have found the attempt without its callback.
  const now = await until(actor, isRead);
  if (isOurs(now) && isWaiting(now)) send({ type: 'callback.received', attemptId: attempt.attemptId });
  // The page belongs to an attempt this process has not loaded: the store knows it, and now its callback. So
  // does whoever has the login under way, if that is another.
  else send({ type: 'session.restore' });
}

/** This very callback was accepted, and its code was not sent yet. */
async function isInVault({ attempts, flowKey }: Environment, callbackUrl: string): Promise<boolean> {
  const { state } = readCallback(callbackUrl);
  const attempt = state === undefined ? undefined : await attempts.findByState(state);
  if (attempt?.used !== true || attempt.flowKey !== flowKey) return false;
  return (await attempts.readCallback(attempt.attemptId))?.callbackUrl === callbackUrl;
}

/** The attempt is the one that this account's flow in the store waits for. */
async function isParked({ journal }: Environment, attemptId: string): Promise<boolean> {
  // Of this process, too: what it decided a moment ago may still be on its way.
  await journal.flushed();
  const checkpoint = await journal.read();
  return checkpoint !== undefined && storedLogin(checkpoint).grant?.attemptId === attemptId;
}

function notExpected(reason: string): FailureError {
  return new FailureError('callback_not_expected', 'authorization', { reason });
}
