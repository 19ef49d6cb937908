/** Ends the login of this account in whatever process has it under way: by its record, which all of them watch (OUT-02). */
import { type Failure, failureOf } from '../failure.ts';
import type { JsonObject } from '../stores/contract.ts';
import type { Environment } from './environment.ts';
import { readLogin } from './shared-login.ts';
import { isLoggingIn, storedContext } from './stored-context.ts';

const SIGN_OUT_KEPT_MS = 24 * 3_600_000;

/** `failure`: what whoever waits for it is told. Changes nothing where there is no login in the store. */
export async function endLogin(environment: Environment, failure: Failure): Promise<void> {
  const { journal, attempts, settings } = environment;
  // How a login of this process ends is recorded right after the action that asks for this, and is what the others hear of it.
  await undefined;
  await journal.flushed().catch(() => undefined);
  const checkpoint = await readLogin(environment).catch(undefinedIfNewer);
  if (checkpoint === undefined && journal.version === null) return;
  // What is at rest has nothing to cancel; what was answered there stays known.
  if (failure.code === 'cancelled' && checkpoint !== undefined && !isLoggingIn(checkpoint.value)) return;
  const attemptId = checkpoint === undefined ? undefined : openAttempt(checkpoint.context);
  if (attemptId !== undefined) await (failure.code === 'signed_out' ? attempts.disown(attemptId) : attempts.close(attemptId));
  // Nobody needs it for longer than a login can last, or a process keeps tokens that it could not store.
  const until = settings.clock.now() + (failure.code === 'signed_out' ? SIGN_OUT_KEPT_MS : settings.limits.userDeadlineMs);
  await journal.overwrite({ resting: failure.code === 'cancelled' ? 'cancelled' : 'unauthorized' }, { failure: asJson(failure) }, until);
}

/** The user has said that it is over, whoever wrote it. */
function undefinedIfNewer(thrown: unknown): undefined {
  if (failureOf(thrown, 'storage').details.isNewer !== true) throw thrown;
}

// Plain JSON by its own rule (failure.ts); interfaces have no index signature to say so.
const asJson = (failure: Failure): JsonObject => failure as unknown as JsonObject;

function openAttempt(context: JsonObject): string | undefined {
  try {
    return storedContext(context).grant?.attemptId;
  } catch {
    return undefined;
  }
}
