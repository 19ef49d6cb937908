/** Actors of `machines/refresh.ts`. */
import type { AuthorizationServer, TokenFacts } from '../../machines/contracts.ts';
import { isDueForRefresh, isExpiring } from '../access-token.ts';
import { takeTurn } from '../durable/take-turns.ts';
import { type Failure, FailureError, failureOf } from '../failure.ts';
import { requestRefresh as sendRefresh } from '../protocol/refresh-request.ts';
import type { CredentialTokens } from '../records/credential-records.ts';
import { recordKey } from '../records/keys.ts';
import { clientCredentials } from './client-credentials.ts';
import { effect } from './effect.ts';
import type { Environment } from './environment.ts';
import { adopt, keepTokens, saveUnsaved } from './keep-tokens.ts';

/** One refresh at a time per credential; whoever waits adopts what the other stored (RFR-05). */
export const takeRefreshTurn = effect<'takeRefreshTurn'>('refresh', async (environment, { account, resource, token }, signal) => {
  const { settings, leases, open } = environment;
  // Tokens that only this process has cannot have been refreshed by another.
  const isUnsaved = environment.accessTokens.unsaved !== undefined;
  const replaced = () => (isUnsaved ? Promise.resolve(undefined) : adoptReplacement(environment, token));
  const taken = await takeTurn(leases, recordKey('lease', 'credential', account, resource, token.issuer), {
    clock: settings.clock,
    waitMs: settings.limits.leaseWaitMs,
    phase: 'refresh',
    signal,
    meanwhile: replaced,
  });
  if ('done' in taken) return { outcome: 'adopted', token: taken.done };
  open.refreshTurn = taken.turn;
  const adopted = await replaced();
  return adopted === undefined ? { outcome: 'mine' } : { outcome: 'adopted', token: adopted };
});

/** A newer credential in the store that is still good, put to use. */
async function adoptReplacement(environment: Environment, token: TokenFacts): Promise<TokenFacts | undefined> {
  const { settings, credentials } = environment;
  const stored = await credentials.read(token.issuer);
  if (stored === undefined || stored.facts.version === token.version) return undefined;
  if (isDueForRefresh(stored.facts, settings.clock.now(), settings.limits.expirySkewMs) && stored.facts.refreshable) return undefined;
  return adopt(environment, stored.facts, stored.tokens);
}

export const requestRefresh = effect<'requestRefresh'>('refresh', async (environment, { token, authorizationServer }, signal) => {
  const { http } = environment;
  try {
    const server = authorizationServer?.issuer === token.issuer ? authorizationServer : await storedServer(environment, token.issuer);
    const { facts, tokens } = await currentTokens(environment, token);
    const client = await clientCredentials(environment, server, facts.clientId);
    if (client === undefined || tokens.refreshToken === undefined)
      throw new FailureError('refresh_rejected', 'refresh', { issuer: token.issuer });
    const issued = await sendRefresh(http, {
      metadata: server.metadata,
      client,
      refreshToken: tokens.refreshToken,
      resource: facts.resourceParameter,
      signal,
    });
    return await keepTokens(environment, issued, {
      issuer: token.issuer,
      clientId: facts.clientId,
      requestedScopes: facts.requestedScopes,
      resourceParameter: facts.resourceParameter,
      scopesIfOmitted: facts.scopes,
      previousRefreshToken: tokens.refreshToken,
      ...(!facts.version.startsWith('unsaved-') && { basedOn: facts.version }),
    });
  } catch (thrown) {
    throw withUse(environment, thrown);
  }
});

/** The tokens the record holds now: another version than the chart knows of may be there by now. */
async function currentTokens(environment: Environment, token: TokenFacts): Promise<{ facts: TokenFacts; tokens: CredentialTokens }> {
  const { accessTokens, credentials } = environment;
  const { unsaved } = accessTokens;
  if (unsaved !== undefined) {
    const facts = (await saveUnsaved(environment)) ?? unsaved.facts;
    return { facts, tokens: unsaved.tokens };
  }
  const stored = await credentials.read(token.issuer);
  if (stored === undefined) throw new FailureError('refresh_rejected', 'refresh', { issuer: token.issuer });
  return stored;
}

/** A refresh before a request needs no discovery: any metadata this issuer once published will do (RFR-01). */
async function storedServer({ settings, discoveries }: Environment, issuer: string): Promise<AuthorizationServer> {
  const metadata = settings.serverMetadata[issuer] ?? (await discoveries.readServer(issuer))?.metadata;
  if (metadata === undefined) {
    throw new FailureError('metadata_incomplete', 'refresh', { issuer, metadataMayBeStale: true, reason: 'It is not in the store.' });
  }
  return { issuer, metadata, hasResourceMetadata: true, defaultEndpoints: false, fromCache: true };
}

/** Adds whether the token in hand still serves: then a failed refresh disturbs nobody. */
function withUse({ accessTokens, settings }: Environment, thrown: unknown): unknown {
  const failed: Failure = failureOf(thrown, 'refresh');
  const { current } = accessTokens;
  if (current === undefined || isExpiring(current, settings.clock.now(), 0)) return thrown;
  const { reason, ...details } = failed.details;
  return new FailureError(failed.code, failed.phase, { ...details, ...(reason !== undefined && { reason }), tokenStillUsable: true });
}

/** Only if nobody has rotated meanwhile is the refresh token at its end, and forgotten (RFR-03, RFR-04). */
export const lookForRotatedToken = effect<'lookForRotatedToken'>('refresh', async (environment, { token }) => {
  const { credentials, accessTokens } = environment;
  const stored = await credentials.read(token.issuer);
  // Tokens the store did not take have replaced what it holds: that is no rotation by another.
  const isUnsaved = accessTokens.unsaved !== undefined;
  if (stored !== undefined && stored.facts.version !== token.version && !isUnsaved) {
    return { outcome: 'adopted', token: adopt(environment, stored.facts, stored.tokens) };
  }
  await credentials.forget(token.issuer, isUnsaved ? {} : { version: token.version });
  accessTokens.hold(undefined);
  accessTokens.unsaved = undefined;
  return { outcome: 'ended' };
});

/** Grows from try to try; what the server asks for counts, up to a bound. */
export const pauseBeforeRetry = effect<'pauseBeforeRetry'>('request', (environment, { tries, retryAfterSeconds }, signal) => {
  const { clock, limits } = environment.settings;
  const growing = limits.retryDelayMs * 2 ** Math.max(0, tries - 1);
  return clock.sleep(Math.min(Math.max(growing, (retryAfterSeconds ?? 0) * 1000), limits.retryDelayMaxMs), signal);
});
