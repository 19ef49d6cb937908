/** What a snapshot of the chart means to a person: status and progress (OBS-02, OBS-03). Pure. */
import type { SnapshotFrom } from 'xstate';
import { missingScopes } from '../src/protocol/scopes.ts';
import type { AuthorizationStatus, Progress, StatusFacts } from '../src/status.ts';
import type { AuthorizationMachine } from './authorization-machine.ts';
import type { AuthorizationContext, Grant } from './contracts.ts';

export type AuthorizationSnapshot = SnapshotFrom<AuthorizationMachine>;

/** Nothing is under way: whoever waits for the flow's outcome has it. */
export function isResting(snapshot: AuthorizationSnapshot): boolean {
  return snapshot.matches('resting');
}

/** The flow waits for an identifier, and can be resumed; nobody who waits here can wait for someone to register a client. */
export function needsClient(snapshot: AuthorizationSnapshot): boolean {
  return snapshot.matches({ working: { loggingIn: 'awaitingClient' } });
}

/** The attempt that the user is at, here or in the process that has the login; what was restored may be of an older one. */
export function grantUnderWay(snapshot: AuthorizationSnapshot): Grant | undefined {
  const { grant, followed } = snapshot.context;
  return snapshot.matches({ working: 'joining' }) ? (followed?.grant ?? grant) : grant;
}

function facts(context: AuthorizationContext): StatusFacts {
  const { resource, account, authorizationServer, token, client, grant, stepUp, warning } = context;
  const issuer = token?.issuer ?? authorizationServer?.issuer;
  const requested = grant?.requestedScopes ?? stepUp?.requested ?? token?.requestedScopes;
  return {
    resource,
    account,
    ...(issuer !== undefined && { issuer }),
    ...(client !== undefined && { registration: client.source }),
    ...(requested !== undefined && requested.length > 0 && { requestedScopes: requested }),
    ...(token !== undefined && { grantedScopes: token.scopes }),
    ...(stepUp !== undefined && { missingScopes: missingScopes(stepUp.challenged, token?.scopes) }),
    ...(token?.expiresAtEpochSeconds !== undefined && { expiresAtEpochSeconds: token.expiresAtEpochSeconds }),
    ...(warning !== undefined && { warning }),
  };
}

/** The description of the innermost state that has one. */
function description(snapshot: AuthorizationSnapshot): string {
  const nodes = [...snapshot._nodes].sort((a, b) => b.path.length - a.path.length);
  return nodes.find((node) => node.description !== undefined)?.description ?? '';
}

/** One step to a person: the page is up, until it is known what they answered. */
const WITH_THE_USER = ['presentingRequest', 'awaitingUser', 'checkingCallback', 'doubtingClient'] as const;
const PREPARING = ['preparingRequest', 'recordingRequest', 'reopeningRedirect'] as const;

/** The small union a user interface shows. */
export function statusOf(snapshot: AuthorizationSnapshot): AuthorizationStatus {
  const { context } = snapshot;
  const known = facts(context);
  if (snapshot.matches('resting')) return restingStatus(snapshot, known);
  const working = { ...known, description: description(snapshot) };
  if (snapshot.matches({ working: 'restoring' })) return { ...known, step: 'restoring' };
  if (snapshot.matches({ working: 'discovering' })) return { ...working, step: 'discovering' };
  if (snapshot.matches({ working: 'refreshing' })) return { ...working, step: 'refreshing' };
  if (snapshot.matches({ working: 'steppingUp' })) return { ...working, step: 'stepping-up' };
  if (snapshot.matches({ working: 'signingOut' })) return { ...known, step: 'signing-out' };
  if (snapshot.matches({ working: { loggingIn: 'awaitingClient' } })) return { ...working, step: 'awaiting-client' };
  if (snapshot.matches({ working: { joining: 'following' } })) return { ...working, ...shownElsewhere(context), step: 'awaiting-other' };
  // The store is asked whose turn it is: nothing that a person could see has changed yet.
  if (snapshot.matches({ working: 'joining' })) return { ...working, step: 'discovering' };
  if (WITH_THE_USER.some((state) => snapshot.matches({ working: { loggingIn: state } }))) {
    const { grant } = context;
    if (grant !== undefined) {
      return {
        ...working,
        step: 'awaiting-user',
        description: 'Waits for the user to approve.',
        authorizationUrl: grant.authorizationUrl,
        deadlineEpochSeconds: Math.floor(grant.deadlineEpochMs / 1000),
      };
    }
  }
  if (snapshot.matches({ working: { loggingIn: 'exchangingCode' } })) {
    return { ...working, step: 'exchanging' };
  }
  if (PREPARING.some((state) => snapshot.matches({ working: { loggingIn: state } }))) return { ...working, step: 'preparing' };
  return { ...working, step: 'registering' };
}

function shownElsewhere({ followed }: AuthorizationContext): { authorizationUrl?: string; deadlineEpochSeconds?: number } {
  const grant = followed?.grant;
  if (grant === undefined) return {};
  return { authorizationUrl: grant.authorizationUrl, deadlineEpochSeconds: Math.floor(grant.deadlineEpochMs / 1000) };
}

function restingStatus(snapshot: AuthorizationSnapshot, known: StatusFacts): AuthorizationStatus {
  const { failure } = snapshot.context;
  if (snapshot.matches({ resting: 'authorized' })) return { ...known, step: 'authorized' };
  if (snapshot.matches({ resting: 'failed' }) && failure !== undefined) return { ...known, step: 'failed', failure };
  if (snapshot.matches({ resting: 'cancelled' })) return { ...known, step: 'cancelled' };
  if (snapshot.matches({ resting: 'unauthorized' })) return { ...known, step: 'unauthorized' };
  return { ...known, step: 'idle' };
}

/** Steps of a login in the order they are passed; what comes again is counted as passed already. */
const LOGIN_STEPS: readonly AuthorizationStatus['step'][] = ['discovering', 'registering', 'preparing', 'awaiting-user', 'exchanging'];

/** Tells one try at authorization from another: only between them may progress start again. */
export function attemptOf({ context }: AuthorizationSnapshot): string {
  const { flows, repeats } = context;
  return `${flows}/${repeats.authorizations}/${repeats.registrations}`;
}

/**
 * Steps done of the flow under way. `reached` is the most that was done in the
 * same attempt before: a fallback that goes back a step does not show, and a
 * flow that failed stays where it came to.
 */
export function progressOf(snapshot: AuthorizationSnapshot, reached = 0): Progress {
  const total = LOGIN_STEPS.length;
  const { step } = statusOf(snapshot);
  if (step === 'authorized') return { completed: total, total };
  if (step === 'unauthorized') return { completed: 0, total };
  if (step === 'awaiting-client') return { completed: Math.max(reached, 1), total };
  const index = LOGIN_STEPS.indexOf(step === 'awaiting-other' ? 'awaiting-user' : step);
  return { completed: Math.max(reached, index), total };
}
