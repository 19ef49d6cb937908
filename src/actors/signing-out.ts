/** Actor of `machines/sign-out.ts`. */
import { failure } from '../failure.ts';
import type { JsonObject } from '../stores/contract.ts';
import { effect } from './effect.ts';
import type { Environment } from './environment.ts';
import { readLogin } from './shared-login.ts';
import { storedContext } from './stored-context.ts';

/** Tokens first: even if the rest fails, nobody can use the account from here any more (OUT-01). */
export const signOut = effect<'signOut'>('sign-out', async (environment, { issuer, forgetRegistration }) => {
  const { settings, accessTokens, credentials, registrations, open, cleanUps } = environment;
  // Tokens that are on their way would otherwise be stored after everything was forgotten.
  open.obtaining?.giveUp();
  await open.obtaining?.done;
  accessTokens.hold(undefined);
  accessTokens.unsaved = undefined;
  const issuers = await credentials.forgetAll(issuer);
  // What a login of this process leaves is written first.
  await Promise.all(cleanUps);
  await endLoginElsewhere(environment);
  if (!forgetRegistration) return;
  for (const one of issuers) await registrations.forget(one, settings.clientMetadata.redirect_uris);
});

/** A login that waits for this account, in whatever process, finds in the store that it is over (OUT-02). */
async function endLoginElsewhere(environment: Environment): Promise<void> {
  const { journal, attempts, settings } = environment;
  const checkpoint = await readLogin(environment);
  if (checkpoint === undefined && journal.version === null) return;
  const { grant } = checkpoint === undefined ? {} : openGrant(checkpoint.context);
  if (grant !== undefined) await attempts.close(grant.attemptId);
  const context = { failure: failure('signed_out', 'sign-out') } as unknown as JsonObject;
  await journal.overwrite({ resting: 'unauthorized' }, context, settings.clock.now() + settings.limits.userDeadlineMs);
}

function openGrant(context: JsonObject): Pick<ReturnType<typeof storedContext>, 'grant'> {
  try {
    return storedContext(context);
  } catch {
    return {};
  }
}
