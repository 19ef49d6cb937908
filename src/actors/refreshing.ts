/** Actors of `machines/refresh.ts`. */
import type { TokenFacts } from '../../machines/contracts.ts';
import { isExpiring, isUnsaved } from '../access-token.ts';
import { takeTurn } from '../durable/take-turns.ts';
import { type Failure, FailureError, failureOf } from '../failure.ts';
import { requestRefresh as sendRefresh } from '../protocol/refresh-request.ts';
import type { CredentialTokens } from '../records/credential-records.ts';
import { recordKey } from '../records/keys.ts';
import { RECORD_FORMAT } from '../records/record-format.ts';
import { clientCredentials, type TokenServer } from './client-credentials.ts';
import { effect } from './effect.ts';
import type { Environment } from './environment.ts';
import { adopt, keepTokens } from './keep-tokens.ts';
import { obtaining } from './obtaining.ts';
import { isGoodReplacement, newestCredential, storedCredential } from './stored-credential.ts';
import { saveUnsaved } from './unsaved-tokens.ts';

/** One refresh at a time per credential; whoever waits adopts what the other stored (RFR-05). */
export const takeRefreshTurn = effect<'takeRefreshTurn'>('refresh', async (environment, { account, resource, token }, signal) => {
  const { settings, leases, open } = environment;
  if (open.refreshTurn?.isCurrent() !== true) {
    // Lost while this process was asleep: another may have worked meanwhile.
    await open.refreshTurn?.release();
    const taken = await takeTurn(leases, recordKey('lease', 'credential', account, resource, token.issuer), {
      clock: settings.clock,
      waitMs: settings.limits.leaseWaitMs,
      busy: { code: 'refresh_busy', phase: 'refresh' },
      signal,
      meanwhile: async () => {
        const newest = await newestToken(environment, token);
        return isGoodReplacement(environment, newest, token.version) ? newest : undefined;
      },
    });
    if ('done' in taken) return { outcome: 'adopted', token: taken.done };
    if (signal.aborted) {
      await taken.turn.release();
      throw new FailureError('cancelled', 'refresh');
    }
    open.refreshTurn = taken.turn;
  }
  const newest = await newestToken(environment, token);
  return { outcome: isGoodReplacement(environment, newest, token.version) ? 'adopted' : 'mine', token: newest };
});

/** What the store holds now, put to use: the chart and `fetch` always have the same token. */
async function newestToken(environment: Environment, token: TokenFacts): Promise<TokenFacts> {
  const newest = await newestCredential(environment, token.issuer);
  if (newest === undefined || newest.facts.version === token.version) return token;
  return adopt(environment, newest.facts, newest.tokens);
}

/** A flow that is cancelled meanwhile leaves the request to its end: with rotation, its answer is the credential. */
export const requestRefresh = effect<'requestRefresh'>('refresh', (environment, { token, authorizationServer }, signal) =>
  obtaining(environment, async (givenUp) => {
    try {
      await writeDown(environment, token);
      const server = authorizationServer?.issuer === token.issuer ? authorizationServer : await storedServer(environment, token.issuer);
      const { facts, tokens } = await tokensToRefresh(environment, token);
      if (isTakenOver(environment, facts, token)) return { token: adopt(environment, facts, tokens) };
      const client = await clientCredentials(environment, server, facts);
      if (client === undefined || tokens.refreshToken === undefined) throw ended(token);
      // Asleep since it was our turn: another may have spent the refresh token, and sending it twice ends every token made of it.
      if (environment.open.refreshTurn?.isCurrent() === false) throw new FailureError('refresh_busy', 'refresh', { issuer: token.issuer });
      const issued = await sendRefresh(environment.http, {
        metadata: server.metadata,
        client,
        refreshToken: tokens.refreshToken,
        resource: facts.resourceParameter,
        signal: givenUp,
      });
      return await keepTokens(environment, issued, {
        issuer: token.issuer,
        client,
        requestedScopes: facts.requestedScopes,
        resourceParameter: facts.resourceParameter,
        scopesIfOmitted: facts.scopes,
        previousRefreshToken: tokens.refreshToken,
        signal,
        ...basedOn(environment, facts),
      });
    } catch (thrown) {
      throw withUse(environment, thrown);
    }
  }),
);

const KEPT_MS = 3_600_000;

/**
 * What may not be repeated is written down before it is tried (RES-03): a refresh
 * token is not spent where its successor could not be taken, by the store or by the vault.
 */
async function writeDown({ store, vault, settings }: Environment, { issuer, version }: TokenFacts): Promise<void> {
  const { clock, resource, account } = settings;
  const startedAtEpochMs = clock.now();
  const note = { format: RECORD_FORMAT, version, startedAtEpochMs };
  const expiry = { expiresAtEpochMs: startedAtEpochMs + KEPT_MS };
  const about = ['rotation', resource, account, issuer] as const;
  const inVault = vault === store ? undefined : vault.write(recordKey('vault', ...about), note, expiry);
  await Promise.all([store.write(recordKey(...about), note, expiry), inVault]);
}

const ended = ({ issuer }: TokenFacts): FailureError => new FailureError('refresh_rejected', 'refresh', { issuer });

/** Somebody has refreshed although it was our turn: the lease was lost in between. */
function isTakenOver(environment: Environment, facts: TokenFacts, token: TokenFacts): boolean {
  return !isUnsaved(token) && isGoodReplacement(environment, facts, token.version);
}

/** Tokens that could not be stored are stored first, so that their successors have something to be based on. */
async function tokensToRefresh(environment: Environment, token: TokenFacts): Promise<{ facts: TokenFacts; tokens: CredentialTokens }> {
  const { accessTokens } = environment;
  const { unsaved } = accessTokens;
  const facts = await saveUnsaved(environment);
  if (unsaved !== undefined && facts !== undefined) return { facts, tokens: unsaved.tokens };
  // What another process has stored or forgotten since is the account's session now, and not what was kept here.
  accessTokens.unsaved = undefined;
  const stored = await storedCredential(environment, token.issuer);
  if (stored === undefined) throw ended(token);
  return stored;
}

/** What the new tokens replace in the store: nothing yet, where these have never been there. */
function basedOn({ accessTokens }: Environment, facts: TokenFacts): { readonly basedOn?: string } {
  const version = isUnsaved(facts) ? accessTokens.unsaved?.basedOn : facts.version;
  return version === undefined ? {} : { basedOn: version };
}

/** A refresh before a request needs no discovery: any metadata this issuer once published will do (RFR-01). */
async function storedServer({ settings, discoveries }: Environment, issuer: string): Promise<TokenServer> {
  const metadata = settings.serverMetadata[issuer] ?? (await discoveries.readServer(issuer))?.metadata;
  if (metadata === undefined) {
    throw new FailureError('metadata_incomplete', 'refresh', { issuer, metadataMayBeStale: true, reason: 'It is not in the store.' });
  }
  return { issuer, metadata };
}

/** Adds whether the token in hand still serves: then a failed refresh disturbs nobody. */
function withUse({ accessTokens, settings }: Environment, thrown: unknown): unknown {
  const failed: Failure = failureOf(thrown, 'refresh');
  const { current } = accessTokens;
  const now = settings.clock.now();
  if (current === undefined || isExpiring(current, now, 0)) return thrown;
  accessTokens.refreshRestsUntilEpochMs = now + settings.limits.retryDelayMaxMs;
  const { reason, ...details } = failed.details;
  return new FailureError(failed.code, failed.phase, { ...details, ...(reason !== undefined && { reason }), tokenStillUsable: true });
}

/** Whether another process has rotated meanwhile: only if none has is the refresh token at its end (RFR-03, RFR-04). */
export const lookForRotatedToken = effect<'lookForRotatedToken'>('refresh', async (environment, { token }) => {
  const newest = await newestToken(environment, token);
  return newest.version === token.version ? { outcome: 'ended' } : { outcome: 'adopted', token: newest };
});

export const forgetCredential = effect<'forgetCredential'>('refresh', async ({ credentials, accessTokens }, { token }) => {
  // Tokens the store did not take have replaced whatever it holds.
  const hasUnsaved = accessTokens.unsaved !== undefined;
  await credentials.forget(token.issuer, hasUnsaved ? {} : { version: token.version });
  accessTokens.hold(undefined);
  accessTokens.unsaved = undefined;
});

/** Grows from try to try; what the server asks for counts, up to a bound. */
export const pauseBeforeRetry = effect<'pauseBeforeRetry'>('request', (environment, { tries, retryAfterSeconds }, signal) => {
  const { clock, limits } = environment.settings;
  const growing = limits.retryDelayMs * 2 ** Math.max(0, tries - 1);
  return clock.sleep(Math.min(Math.max(growing, (retryAfterSeconds ?? 0) * 1000), limits.retryDelayMaxMs), signal);
});
