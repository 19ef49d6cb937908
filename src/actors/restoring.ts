/** Actor of `machines/restoring.ts`: what the store holds decides where the flow goes on (RES-02, RES-03). */
import type { Challenge, Grant } from '../../machines/contracts.ts';
import { isExpiring } from '../access-token.ts';
import type { Checkpoint } from '../durable/checkpoint.ts';
import { checkAttemptBinding } from './attempt-binding.ts';
import { effect } from './effect.ts';
import type { Environment } from './environment.ts';
import { adopt } from './keep-tokens.ts';
import { type StoredContext, wholeLogin } from './stored-context.ts';
import { type StoredCredential, storedCredential } from './stored-credential.ts';

export const restoreFlow = effect<'restoreFlow'>('storage', async (environment) => {
  const { journal } = environment;
  const checkpoint = await journal.read();
  const context = checkpoint === undefined ? {} : await wholeLogin(environment, checkpoint);
  await checkAttemptBinding(environment, context);
  const kept = { pastStepUps: context.pastStepUps ?? [] };
  const stored = await usableCredential(environment);
  if (await hasCallback(environment, context))
    return { place: 'joining', context: { ...context, ...(stored && { token: adopt(environment, stored.facts, stored.tokens) }) } };
  const grant = await liveGrant(environment, context.grant);
  if (stored === undefined && grant !== undefined && context.client !== undefined && context.authorizationServer !== undefined) {
    return { place: 'joining', context: { ...context, grant } };
  }
  // A pending step-up is kept beside the credential: its callback may still come.
  const waiting = grant === undefined ? {} : { ...context, grant };
  if (stored === undefined && isAwaitingClient(checkpoint))
    return { place: 'discovering', context: { ...kept, challenge: askedAnew(context) } };
  if (stored === undefined) return { place: 'unauthorized', context: { ...kept, ...waiting } };
  // Reading is all that happens here: the first request refreshes a token that is about to expire (FET-09).
  return { place: 'authorized', context: { ...kept, ...waiting, token: adopt(environment, stored.facts, stored.tokens) } };
});

/** A person was asked for a client identifier: that can take days, and more than one process (REG-01). */
function isAwaitingClient(checkpoint: Checkpoint | undefined): boolean {
  return JSON.stringify(checkpoint?.value) === JSON.stringify({ working: { loggingIn: 'awaitingClient' } });
}

/** Nothing in the vault speaks for this part of the checkpoint: where to look first is for the resource to say once more (ISS-09). */
function askedAnew({ challenge = { reason: 'unauthorized' } }: StoredContext): Challenge {
  const { facts, ...rest } = challenge;
  const { resourceMetadataUrl: _, ...known } = facts ?? {};
  return { ...rest, facts: known };
}

/** The user has been back already: the callback is in the vault, and its code was never sent. */
async function hasCallback({ attempts }: Environment, { grant, client, authorizationServer }: StoredContext): Promise<boolean> {
  if (grant === undefined || client === undefined || authorizationServer === undefined) return false;
  return (await attempts.readCallback(grant.attemptId)) !== undefined;
}

/** The attempt, if the user can still complete it: one whose code was sent before the process died is over (AUT-09). */
async function liveGrant({ attempts, settings }: Environment, grant: Grant | undefined): Promise<Grant | undefined> {
  if (grant === undefined || grant.deadlineEpochMs <= settings.clock.now()) return undefined;
  return (await attempts.isOpen(grant.attemptId)) ? grant : undefined;
}

/** What the store holds, unless it has run out and cannot be renewed. */
async function usableCredential(environment: Environment): Promise<StoredCredential | undefined> {
  const issuer = await environment.credentials.boundIssuer();
  const stored = issuer === undefined ? undefined : await storedCredential(environment, issuer);
  const isSpent = stored !== undefined && !stored.facts.refreshable && isExpiring(stored.facts, environment.settings.clock.now(), 0);
  return isSpent ? undefined : stored;
}
