/** Actor of `machines/sign-out.ts`. */
import { effect } from './effect.ts';

/** Tokens first: even if the rest fails, nobody can use the account from here any more (OUT-01). */
export const signOut = effect<'signOut'>('sign-out', async (environment, { issuer, forgetRegistration }) => {
  const { settings, accessTokens, credentials, registrations, open } = environment;
  // Tokens that are on their way would otherwise be stored after everything was forgotten.
  open.obtaining?.giveUp();
  await open.obtaining?.done;
  accessTokens.hold(undefined);
  accessTokens.unsaved = undefined;
  const issuers = await credentials.forgetAll(issuer);
  if (!forgetRegistration) return;
  for (const one of issuers) await registrations.forget(one, settings.clientMetadata.redirect_uris);
});
