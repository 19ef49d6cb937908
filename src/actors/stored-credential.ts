/** The credential as the store has it now. */
import type { TokenFacts } from '../../machines/contracts.ts';
import { isDueForRefresh } from '../access-token.ts';
import { failureOf } from '../failure.ts';
import type { CredentialFacts, CredentialTokens } from '../records/credential-records.ts';
import type { Environment } from './environment.ts';

export interface StoredCredential {
  readonly facts: CredentialFacts;
  readonly tokens: CredentialTokens;
}

/** Nothing, too, where the vault was emptied: there is nothing left to protect then, and signing in mends it. */
export async function storedCredential({ credentials, settings }: Environment, issuer: string): Promise<StoredCredential | undefined> {
  try {
    return await credentials.read(issuer);
  } catch (thrown) {
    const failure = failureOf(thrown, 'storage');
    if (failure.code !== 'credentials_missing') throw thrown;
    settings.log('warn', 'credentials-missing', { issuer, failure });
    return undefined;
  }
}

/**
 * What this process holds or, if another has stored something newer, that. Tokens
 * that could not be stored are newer than what the store has.
 */
export async function newestCredential(environment: Environment, issuer: string): Promise<StoredCredential | undefined> {
  const { unsaved } = environment.accessTokens;
  return unsaved?.facts.issuer === issuer ? unsaved : storedCredential(environment, issuer);
}

/** Another access token than the challenged one, and good for a while: it need not be refreshed. */
export function isGoodReplacement({ settings }: Environment, facts: TokenFacts, challengedVersion: string | undefined): boolean {
  if (facts.version === challengedVersion) return false;
  return !(facts.refreshable && isDueForRefresh(facts, settings.clock.now(), settings.limits.expirySkewMs));
}
