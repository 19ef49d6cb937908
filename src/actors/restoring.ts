/** Actor of `machines/restoring.ts`: what the store holds decides where the flow goes on (RES-02, RES-03). */
import type { Challenge } from '../../machines/contracts.ts';
import { isExpiring } from '../access-token.ts';
import type { Checkpoint } from '../durable/checkpoint.ts';
import { checkAttemptBinding } from './attempt-binding.ts';
import { effect } from './effect.ts';
import type { Environment } from './environment.ts';
import { adopt } from './keep-tokens.ts';
import { type StoredContext, storedLogin, wholeLogin } from './stored-context.ts';
import { type StoredCredential, storedCredential } from './stored-credential.ts';

export const restoreFlow = effect<'restoreFlow'>('storage', async (environment) => {
  const { journal, accessTokens } = environment;
  const checkpoint = await journal.read();
  const login = checkpoint === undefined ? {} : storedLogin(checkpoint);
  const kept = { pastStepUps: login.pastStepUps ?? [] };
  // In this order: a callback that waits after the credential was read has not led to that credential.
  const stored = await usableCredential(environment);
  const left = await whatIsLeft(environment, login);
  // What the store no longer has is not sent any more, either, unless it never had it (RFR-07).
  if (stored === undefined && accessTokens.unsaved === undefined) accessTokens.hold(undefined);
  if (left?.hasCallback === true)
    return { place: 'joining', context: { ...left.context, ...(stored && { token: adopt(environment, stored.facts, stored.tokens) }) } };
  if (stored === undefined && left !== undefined) return { place: 'joining', context: left.context };
  if (stored === undefined && isAwaitingClient(checkpoint))
    return { place: 'discovering', context: { ...kept, challenge: askedAnew(login) } };
  if (stored === undefined) return { place: 'unauthorized', context: kept };
  // Reading is all that happens here: the first request refreshes a token that is about to expire (FET-09). A pending
  // step-up is kept beside the credential: its callback may still come.
  return { place: 'authorized', context: { ...kept, ...left?.context, token: adopt(environment, stored.facts, stored.tokens) } };
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

/**
 * The login, if it can still be completed: the user has been back and the code was never sent, or has time left for a page
 * whose attempt is open (AUT-07, AUT-09). What is over has nothing that anyone would miss, and is read no further.
 */
async function whatIsLeft(
  environment: Environment,
  login: StoredContext,
): Promise<{ readonly context: StoredContext; readonly hasCallback: boolean } | undefined> {
  const { attempts, settings } = environment;
  const { grant } = login;
  if (grant === undefined) return undefined;
  const hasCallback = (await attempts.readCallback(grant.attemptId)) !== undefined;
  const hasTime = grant.deadlineEpochMs > settings.clock.now();
  if (!hasCallback && !(hasTime && (await attempts.isOpen(grant.attemptId)))) return undefined;
  const context = await wholeLogin(environment, login);
  // From here on it has the server and the client that the attempt was begun with, too.
  await checkAttemptBinding(environment, context);
  return { context, hasCallback };
}

/** What the store holds, unless it has run out and cannot be renewed. */
async function usableCredential(environment: Environment): Promise<StoredCredential | undefined> {
  const issuer = await environment.credentials.boundIssuer();
  const stored = issuer === undefined ? undefined : await storedCredential(environment, issuer);
  const isSpent = stored !== undefined && !stored.facts.refreshable && isExpiring(stored.facts, environment.settings.clock.now(), 0);
  return isSpent ? undefined : stored;
}
