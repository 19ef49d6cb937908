/** What the store says of the login of this account: who has it under way, how far it is, how it ended. */
import type { Wanted } from '../../machines/actor-contracts.ts';
import type { FlowTurn, Followed, Grant, TokenFacts, UnfinishedLogin } from '../../machines/contracts.ts';
import { isExpiring } from '../access-token.ts';
import type { Checkpoint } from '../durable/checkpoint.ts';
import { type Failure, failure, failureOf } from '../failure.ts';
import { missingScopes } from '../protocol/scopes.ts';
import { attemptBinding, checkAttemptBinding } from './attempt-binding.ts';
import type { Environment } from './environment.ts';
import { adopt } from './keep-tokens.ts';
import { type StoredContext, storedLogin, wholeLogin } from './stored-context.ts';
import { newestCredential } from './stored-credential.ts';
import { storedFailure } from './stored-failure.ts';

/** The login as its checkpoint has it; nothing, where it is damaged: restoring has reported it (RES-04). A newer one is left alone (STO-05). */
export async function readLogin({ journal, settings }: Environment): Promise<Checkpoint | undefined> {
  try {
    return await journal.read();
  } catch (thrown) {
    const failure = failureOf(thrown, 'storage');
    if (failure.code !== 'record_unreadable' || failure.details.isNewer === true) throw thrown;
    settings.log('warn', 'checkpoint-unreadable', { failure });
    return undefined;
  }
}

/** A token that another process obtained since, and that is what is wanted (RFR-04, SCO-07). */
export async function obtainedElsewhere(environment: Environment, wanted: Wanted): Promise<TokenFacts | undefined> {
  const { challenge, stepUp, authorizationServer, token } = wanted;
  const issuer = authorizationServer?.issuer ?? (await environment.credentials.boundIssuer());
  const newest = issuer === undefined ? undefined : await newestCredential(environment, issuer);
  if (newest === undefined) return undefined;
  const { facts, tokens } = newest;
  if (facts.version === token?.version || facts.version === challenge?.tokenVersion) return undefined;
  // What an issuer gave out before the resource left it is no news (ISS-02).
  if (token !== undefined && token.issuer !== facts.issuer) return undefined;
  if (!facts.refreshable && isExpiring(facts, environment.settings.clock.now(), 0)) return undefined;
  const isCovered = missingScopes(stepUp?.challenged ?? challenge?.scopes, facts.scopes).length === 0;
  return isCovered ? adopt(environment, facts, tokens) : undefined;
}

/** How the followed login ended, if it was for all of us; a server or network that was down may be there for us. */
export function sharedFailure(
  checkpoint: Checkpoint | undefined,
  followed: Followed | undefined,
  version: string | null,
): Failure | undefined {
  if (checkpoint === undefined || followed === undefined || version === followed.recordVersion) return undefined;
  const failure = isAtRest(checkpoint) ? storedFailure(checkpoint.context['failure']) : undefined;
  return failure?.retryable === true ? undefined : failure;
}

const isAtRest = ({ value }: Checkpoint): boolean => typeof value === 'object' && value !== null && 'resting' in value;

/** The page was opened, or could not be. */
const isPageOpen = ({ value }: Checkpoint): boolean => JSON.stringify(value) === JSON.stringify({ working: { loggingIn: 'awaitingUser' } });

export const isEndedBySignOut = (checkpoint: Checkpoint): boolean =>
  isAtRest(checkpoint) && storedFailure(checkpoint.context['failure'])?.code === 'signed_out';

/** Another process has ended the session this attempt was for; another login may be under way since. */
export async function isSignedOutElsewhere(environment: Environment, attemptId: string): Promise<boolean> {
  try {
    if (await environment.attempts.isDisowned(attemptId)) return true;
    if (!(await environment.journal.isOvertaken())) return false;
    const checkpoint = await readLogin(environment);
    return checkpoint !== undefined && isEndedBySignOut(checkpoint);
  } catch {
    // A store that does not answer has not said so.
    return false;
  }
}

/**
 * What the user is shown by whoever holds the lease, once there is something. People are sent to the URL that
 * is found here, so it counts only as what its attempt was begun with: the store alone could name any page (ISS-09).
 */
export async function shownGrant(environment: Environment, checkpoint: Checkpoint | undefined): Promise<Grant | undefined> {
  const { attempts, flowKey, settings } = environment;
  const { grant, authorizationServer, client } = (checkpoint && (await readableLogin(environment, checkpoint))) ?? {};
  if (grant === undefined || grant.deadlineEpochMs <= settings.clock.now()) return undefined;
  const bound = await attempts.boundTo(grant.attemptId);
  return bound !== undefined && bound === (await attemptBinding(flowKey, { authorizationServer, client, grant })) ? grant : undefined;
}

/** What an earlier holder has left, if it is what is wanted and can still be completed. */
export async function unfinishedLogin(
  environment: Environment,
  checkpoint: Checkpoint | undefined,
  { followed, ...wanted }: Wanted & { readonly followed: Followed | undefined },
): Promise<Extract<FlowTurn, { outcome: 'resume' }> | undefined> {
  if (checkpoint === undefined) return undefined;
  const stored = await readableLogin(environment, checkpoint);
  const { grant, client, authorizationServer } = stored ?? {};
  if (stored === undefined || grant === undefined || client === undefined || authorizationServer === undefined) return undefined;
  if (!serves(wanted, grant)) return undefined;
  // A checkpoint that was tampered with is passed over, as one that is not there: nothing is sent where it says (ISS-09).
  if (!(await isBound(environment, stored))) return undefined;
  const login: UnfinishedLogin = {
    redirectUri: grant.redirectUri,
    grant,
    client,
    authorizationServer,
    challenge: wanted.challenge ?? stored.challenge,
    stepUp: wanted.challenge === undefined ? stored.stepUp : wanted.stepUp,
    // A holder that died while it opened the page may have opened none: then it is done again (RES-03).
    followed: isPageOpen(checkpoint) ? followed : undefined,
  };
  const { attempts, settings } = environment;
  if ((await attempts.readCallback(grant.attemptId)) !== undefined) return { outcome: 'resume', place: 'checkingCallback', login };
  // One whose code was sent before its process died is over (AUT-09).
  const isLive = grant.deadlineEpochMs > settings.clock.now() && (await attempts.isOpen(grant.attemptId));
  return isLive ? { outcome: 'resume', place: 'reopeningRedirect', login } : undefined;
}

/**
 * The page that was shown, from here or by whoever was followed, is what was wanted, and nobody has come back from it in time.
 * The instant decides, and not which timer is first: a machine that was suspended runs all of them late (AUT-07, RES-05).
 */
export function unanswered(
  { settings }: Environment,
  { followed, ...wanted }: Wanted & { readonly followed: Followed | undefined },
): Extract<FlowTurn, { outcome: 'ended' }> | undefined {
  const grant = followed?.grant;
  if (grant === undefined || grant.deadlineEpochMs > settings.clock.now() || !serves(wanted, grant)) return undefined;
  return { outcome: 'ended', failure: failure('authorization_expired', 'authorization') };
}

/** What cannot be read is passed over, as one that is not there: restoring has reported it (RES-04). */
async function readableLogin(environment: Environment, checkpoint: Checkpoint): Promise<StoredContext | undefined> {
  try {
    return await wholeLogin(environment, storedLogin(checkpoint));
  } catch (thrown) {
    if (failureOf(thrown, 'storage').code === 'store_failed') throw thrown;
    return undefined;
  }
}

/** The same issuer, and all the scopes that are wanted now. */
function serves({ authorizationServer, challenge, stepUp }: Wanted, grant: Grant): boolean {
  if (authorizationServer !== undefined && authorizationServer.issuer !== grant.issuer) return false;
  const scopes = stepUp?.requested ?? challenge?.scopes ?? challenge?.facts?.scopes;
  return missingScopes(scopes, grant.requestedScopes).length === 0;
}

async function isBound(environment: Environment, stored: StoredContext): Promise<boolean> {
  try {
    await checkAttemptBinding(environment, stored);
    return true;
  } catch (thrown) {
    const failure = failureOf(thrown, 'storage');
    if (failure.code === 'store_failed') throw thrown;
    environment.settings.log('error', 'checkpoint-refused', { failure });
    return false;
  }
}
