/** Stores issued tokens, and keeps them in memory even where the store fails (RFR-02, RFR-07). */
import type { Obtained, TokenFacts } from '../../machines/contracts.ts';
import { isUnsaved, type UnsavedTokens, unsavedVersion } from '../access-token.ts';
import { FailureError, failure, failureOf } from '../failure.ts';
import type { TokenClient } from '../protocol/client-authentication.ts';
import type { IssuedTokens } from '../protocol/documents.ts';
import { grantedScopes } from '../protocol/scopes.ts';
import type { CredentialTokens } from '../records/credential-records.ts';
import type { Environment } from './environment.ts';

interface About {
  readonly issuer: string;
  readonly client: Pick<TokenClient, 'clientId' | 'authMethod'>;
  readonly requestedScopes: readonly string[];
  readonly resourceParameter: string | undefined;
  /** What an omitted `scope` means: the requested scopes, or the previous ones (SCO-03). */
  readonly scopesIfOmitted: readonly string[];
  /** Stays in use where the response brings no new one (RFR-02). */
  readonly previousRefreshToken?: string;
  /** The record the refresh was based on. */
  readonly basedOn?: string;
  /** Aborted: the flow has ended meanwhile. The tokens are stored all the same, and put to use by whoever asks next. */
  readonly signal: AbortSignal;
}

export async function keepTokens(environment: Environment, issued: IssuedTokens, about: About): Promise<Obtained> {
  const { settings, credentials } = environment;
  const { facts, tokens } = credentialOf(issued, about, Math.floor(settings.clock.now() / 1000));
  try {
    const save = () => credentials.save(facts, tokens, { basedOn: about.basedOn });
    // With rotation these are the only ones there are: a store that has a bad moment is asked once more.
    const saved = await save().catch(save);
    if (saved.saved) {
      environment.accessTokens.unsaved = undefined;
      return { token: about.signal.aborted ? saved.facts : use(environment, saved.facts, tokens) };
    }
    // Someone signed in or refreshed meanwhile without our lease: theirs is newer than what ours was based on.
    const current = await credentials.read(about.issuer);
    if (current === undefined) throw new FailureError('signed_out', 'refresh', { issuer: about.issuer });
    const isOurs = current.tokens.accessToken === tokens.accessToken;
    if (isOurs && !about.signal.aborted) return { token: use(environment, current.facts, current.tokens) };
    return { token: about.signal.aborted ? current.facts : adopt(environment, current.facts, current.tokens) };
  } catch (thrown) {
    const { code, details } = failureOf(thrown, 'storage');
    if (code === 'signed_out') throw thrown;
    const warning = failure('tokens_not_stored', 'storage', { issuer: about.issuer, ...(details.reason && { reason: details.reason }) });
    settings.log('error', 'tokens-not-stored', { issuer: about.issuer, failure: warning });
    const unsaved = { facts: { ...facts, version: unsavedVersion() }, tokens };
    environment.accessTokens.unsaved = { ...unsaved, ...originOf(environment, about) };
    return { token: about.signal.aborted ? unsaved.facts : use(environment, unsaved.facts, tokens), warning };
  }
}

/** What the tokens are to replace; tokens refreshed from memory have what those had they come from. */
function originOf({ accessTokens }: Environment, about: About): Pick<UnsavedTokens, 'basedOn' | 'foundVersion'> {
  const { current, unsaved } = accessTokens;
  const isRefreshed = about.previousRefreshToken !== undefined;
  if (isRefreshed && about.basedOn === undefined && unsaved !== undefined)
    return { basedOn: unsaved.basedOn, foundVersion: unsaved.foundVersion };
  return { basedOn: about.basedOn, foundVersion: current !== undefined && !isUnsaved(current) ? current.version : undefined };
}

/** Tokens of a session that was ended while they were being stored; a credential that has replaced them stays. */
export async function forgetObtained({ accessTokens, credentials }: Environment, { issuer, version }: TokenFacts): Promise<void> {
  if (accessTokens.current?.version === version) accessTokens.hold(undefined);
  if (accessTokens.unsaved?.facts.version === version) accessTokens.unsaved = undefined;
  await credentials.forget(issuer, { version });
}

function credentialOf(
  issued: IssuedTokens,
  about: About,
  obtainedAtEpochSeconds: number,
): { readonly facts: Omit<TokenFacts, 'version'>; readonly tokens: CredentialTokens } {
  const { issuer, client, requestedScopes, resourceParameter } = about;
  const refreshToken = issued.refreshToken ?? about.previousRefreshToken;
  return {
    facts: {
      issuer,
      clientId: client.clientId,
      ...(client.authMethod === 'none' && { publicClient: true }),
      scopes: grantedScopes(issued.scopes, about.scopesIfOmitted),
      requestedScopes,
      ...(resourceParameter !== undefined && { resourceParameter }),
      tokenType: issued.tokenType,
      refreshable: refreshToken !== undefined,
      obtainedAtEpochSeconds,
      ...(issued.expiresInSeconds !== undefined && { expiresAtEpochSeconds: obtainedAtEpochSeconds + issued.expiresInSeconds }),
    },
    tokens: { accessToken: issued.accessToken, ...(refreshToken !== undefined && { refreshToken }) },
  };
}

/** Puts the token that was issued to this process where `fetch` finds it. */
function use(environment: Environment, facts: TokenFacts, tokens: CredentialTokens): TokenFacts {
  return hold(environment, { facts, tokens, isAdopted: false });
}

/** Puts a token that was found, in the store or unsaved, where `fetch` finds it. */
export function adopt(environment: Environment, facts: TokenFacts, tokens: CredentialTokens): TokenFacts {
  return hold(environment, { facts, tokens, isAdopted: true });
}

function hold(
  { accessTokens }: Environment,
  { facts, tokens, isAdopted }: { readonly facts: TokenFacts; readonly tokens: CredentialTokens; readonly isAdopted: boolean },
): TokenFacts {
  // The chart has looked at the token in use once more: it is still the one that was issued here.
  const isSame = accessTokens.current?.version === facts.version;
  accessTokens.hold({
    value: tokens.accessToken,
    header: `${facts.tokenType} ${tokens.accessToken}`,
    tokenType: facts.tokenType,
    version: facts.version,
    refreshable: facts.refreshable,
    scopes: facts.scopes,
    obtainedAtEpochSeconds: facts.obtainedAtEpochSeconds,
    isAdopted: isSame ? accessTokens.current?.isAdopted === true : isAdopted,
    ...(facts.expiresAtEpochSeconds !== undefined && { expiresAtEpochSeconds: facts.expiresAtEpochSeconds }),
  });
  return facts;
}
