/** Tokens the store did not take when they were issued: they outlive its failure, and end with the session they belong to (RFR-07). */
import type { TokenFacts } from '../../machines/contracts.ts';
import type { UnsavedTokens } from '../access-token.ts';
import type { Environment } from './environment.ts';
import { isEndedBySignOut, readLogin } from './shared-login.ts';
import { storedCredential } from './stored-credential.ts';

/**
 * Stores them now, before anything else happens to them; still failing, they stay in memory.
 * Nothing, where there are none or others have taken their place.
 */
export async function saveUnsaved(environment: Environment): Promise<TokenFacts | undefined> {
  const { accessTokens, credentials } = environment;
  const { unsaved } = accessTokens;
  if (unsaved === undefined || (await isSuperseded(environment, unsaved))) return undefined;
  try {
    const { version: _, ...facts } = unsaved.facts;
    const saved = await credentials.save(facts, unsaved.tokens, { basedOn: unsaved.basedOn });
    if (!saved.saved) return undefined;
    accessTokens.unsaved = undefined;
    return saved.facts;
  } catch {
    return unsaved.facts;
  }
}

/** Tokens of a first login that could not be stored: another has logged in since, or has signed the account out. */
async function isSuperseded(environment: Environment, { facts, basedOn, foundVersion }: UnsavedTokens): Promise<boolean> {
  if (basedOn !== undefined) return false;
  const stored = await storedCredential(environment, facts.issuer);
  if (stored !== undefined && stored.facts.version !== foundVersion) return true;
  const checkpoint = await readLogin(environment);
  return checkpoint !== undefined && isEndedBySignOut(checkpoint);
}
