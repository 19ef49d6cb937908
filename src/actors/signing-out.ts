/** Actor of `machines/sign-out.ts`. */
import { effect } from './effect.ts';
import type { Environment } from './environment.ts';

/** Tokens first: even if the rest fails, nobody can use the account from here any more (OUT-01). */
export function signOut(environment: Environment) {
  const { settings, accessTokens, credentials, registrations } = environment;
  return effect<'signOut'>(environment, 'sign-out', async ({ issuer, forgetRegistration }) => {
    accessTokens.hold(undefined);
    accessTokens.unsaved = undefined;
    const bound = issuer ?? (await credentials.boundIssuer());
    if (bound === undefined) return;
    await credentials.forget(bound);
    if (forgetRegistration) await registrations.forget(bound, settings.clientMetadata.redirect_uris);
  });
}
