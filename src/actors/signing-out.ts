/** Actor of `machines/sign-out.ts`. */
import { failure } from '../failure.ts';
import { effect } from './effect.ts';
import { endLogin } from './end-login.ts';

/** Tokens first: even if the rest fails, nobody can use the account from here any more (OUT-01). */
export const signOut = effect<'signOut'>('sign-out', async (environment, { issuer, forgetRegistration }) => {
  const { settings, accessTokens, credentials, registrations, open, cleanUps } = environment;
  // Tokens that are on their way would otherwise be stored after everything was forgotten.
  open.obtaining?.giveUp();
  await open.obtaining?.done;
  accessTokens.hold(undefined);
  accessTokens.unsaved = undefined;
  const forgetClient = (one: string): Promise<void> => registrations.forget(one, settings.clientMetadata.redirect_uris);
  const forgetAll = (): Promise<void> => credentials.forgetAll(issuer, forgetRegistration ? forgetClient : undefined);
  await forgetAll();
  // What a login of this process leaves is written first.
  await Promise.all(cleanUps);
  await endLogin(environment, failure('signed_out', 'sign-out'));
  // Tokens that another process was storing meanwhile: from here on it knows, and forgets them by itself.
  await forgetAll();
});
