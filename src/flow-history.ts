/** Which flows have failed, and about what: whoever was part of one shares its failure, nobody else's (FET-06). */
import type { Actor } from 'xstate';
import type { AuthorizationMachine } from '../machines/authorization-machine.ts';
import type { Challenge } from '../machines/contracts.ts';
import { type AuthorizationSnapshot, isResting } from '../machines/selectors.ts';
import type { Failure, FailureCode } from './failure.ts';
import { missingScopes } from './protocol/scopes.ts';

export interface FlowHistory {
  /** How many flows have ended in a failure until now. */
  failed(): number;
  /** The failure of the last flow, if it failed after `since` others had, and would have answered this challenge. */
  failureFor(challenge: Challenge, since: number): Failure | undefined;
}

interface Ended {
  readonly failure: Failure;
  readonly challenge: Challenge | undefined;
}

/** Ended by a person or the embedder: for everyone, whatever they waited for. */
const FOR_ALL: ReadonlySet<FailureCode> = new Set<FailureCode>(['cancelled', 'signed_out']);

export function flowHistory(actor: Actor<AuthorizationMachine>): FlowHistory {
  let failed = 0;
  let last: Ended | undefined;
  let wasResting = true;
  let challenge: Challenge | undefined;
  actor.subscribe((snapshot) => {
    const resting = isResting(snapshot);
    const { failure } = snapshot.context;
    if (!resting) {
      ({ challenge } = snapshot.context);
    } else if (!wasResting && failure !== undefined) {
      failed += 1;
      last = { failure, challenge };
    }
    wasResting = resting;
  });
  return {
    failed: () => failed,
    failureFor: (mine, since) => (failed > since && last !== undefined && wasAbout(last, mine) ? last.failure : undefined),
  };
}

const isStepUpChallenge = (challenge: Challenge | undefined): boolean => challenge?.reason === 'insufficient-scope';

/** Someone is being asked for more scopes; the token at hand works for everything else. */
export function isStepUp(snapshot: AuthorizationSnapshot): boolean {
  return !isResting(snapshot) && isStepUpChallenge(snapshot.context.challenge);
}

/** A refused step-up says nothing about a token that has expired, nor about other scopes; a failed login does. */
function wasAbout({ failure, challenge }: Ended, mine: Challenge): boolean {
  if (FOR_ALL.has(failure.code) || !isStepUpChallenge(challenge)) return true;
  return isStepUpChallenge(mine) && missingScopes(mine.facts?.scopes, challenge?.facts?.scopes).length === 0;
}
