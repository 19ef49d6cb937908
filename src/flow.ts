/** What callers do with the chart: raise a challenge and wait, begin, sign out, close. */
import type { Actor } from 'xstate';
import type { AuthorizationMachine } from '../machines/authorization-machine.ts';
import type { AuthorizationEvent, Challenge } from '../machines/contracts.ts';
import { type AuthorizationSnapshot, isResting, needsClient } from '../machines/selectors.ts';
import { type AccessToken, isDueForRefresh, isExpiring } from './access-token.ts';
import type { Environment } from './actors/environment.ts';
import { saveUnsaved } from './actors/unsaved-tokens.ts';
import { AuthorizationError } from './errors.ts';
import { failure } from './failure.ts';
import { createFlowActor } from './flow-actor.ts';
import { flowHistory, isStepUp } from './flow-history.ts';
import { missingScopes, scopeUnion } from './protocol/scopes.ts';
import { orAborted, until } from './until.ts';

export interface SignOutOptions {
  /** Forget the client's registration at the issuer, too. Default false. */
  readonly forgetRegistration?: boolean;
}

/** Whoever waits: the caller's way out, and how many flows had failed when the caller's request was sent. */
export interface Waiting {
  readonly signal: AbortSignal | undefined;
  readonly failedFlows: number;
}

export interface Flow {
  readonly actor: Actor<AuthorizationMachine>;
  readonly environment: Environment;
  /** Sends any event of the chart; `actor.send` lets only public ones in. */
  send(event: AuthorizationEvent): void;
  /** How many flows have failed: a request remembers where it started. */
  failedFlows(): number;
  /** Resolves once the store has been read; `undefined` if it has been. Throws `closed` after `close()`. */
  restored(signal?: AbortSignal): Promise<void> | undefined;
  /** The token to send, refreshed if it is about to expire (FET-09). A good one costs nothing (FET-11). */
  usableToken(signal?: AbortSignal): Promise<AccessToken | undefined>;
  /** The same where nothing has to be waited for; otherwise `undefined`. */
  readyToken(): AccessToken | undefined;
  /**
   * Raises the challenge, or joins the flow that is under way; rejects with the
   * failure it ends in. True if it was raised, and not answered by another's flow.
   */
  authorize(challenge: Challenge, waiting: Waiting): Promise<boolean>;
  /** Obtains a token that has these scopes, without a request. */
  authorizeNow(scopes?: readonly string[], signal?: AbortSignal): Promise<void>;
  /** Waits for the flow under way; rejects with the failure it ends in. */
  settled(signal?: AbortSignal): Promise<AuthorizationSnapshot>;
  signOut(options: SignOutOptions): Promise<void>;
  close(): Promise<void>;
}

interface Renewal {
  /** Of the token that is replaced. */
  readonly version: string;
  readonly token: Promise<AccessToken | undefined>;
  /** The chart as it was when it was last seen at work on it. */
  seenAt: AuthorizationSnapshot | undefined;
}

/** Nothing goes on by itself from here: the waiting have their answer. */
const hasAnswer = (snapshot: AuthorizationSnapshot): boolean => isResting(snapshot) || needsClient(snapshot);

/** It is known what the store holds, and whose turn it is. */
const isRestored = (snapshot: AuthorizationSnapshot): boolean =>
  snapshot.context.restored && !snapshot.matches({ working: { joining: 'takingTurn' } });

function clientNeeded({ context }: AuthorizationSnapshot): AuthorizationError {
  const issuer = context.authorizationServer?.issuer;
  return new AuthorizationError(failure('client_identifier_required', 'registration', issuer === undefined ? {} : { issuer }));
}

export function createFlow(environment: Environment): Flow {
  const { settings, accessTokens, open } = environment;
  const { actor, send } = createFlowActor(environment);
  const history = flowHistory(actor);

  async function settled(signal?: AbortSignal): Promise<AuthorizationSnapshot> {
    const snapshot = await until(actor, hasAnswer, signal);
    if (needsClient(snapshot)) throw clientNeeded(snapshot);
    if (snapshot.context.failure !== undefined) throw new AuthorizationError(snapshot.context.failure);
    return snapshot;
  }

  function restored(signal?: AbortSignal): Promise<void> | undefined {
    const snapshot = actor.getSnapshot();
    if (snapshot.status !== 'active') throw new AuthorizationError(failure('closed', 'request'));
    return snapshot.context.restored ? undefined : readStore(signal);
  }

  async function readStore(signal?: AbortSignal): Promise<void> {
    if (isResting(actor.getSnapshot())) send({ type: 'session.restore' });
    const snapshot = await until(actor, (now) => isResting(now) || isRestored(now), signal);
    if (isResting(snapshot) && snapshot.context.failure !== undefined) throw new AuthorizationError(snapshot.context.failure);
  }

  function readyToken(): AccessToken | undefined {
    const snapshot = actor.getSnapshot();
    const { current } = accessTokens;
    if (current === undefined || !snapshot.context.restored || snapshot.status !== 'active') return undefined;
    const isDue = current.refreshable && isDueForRefresh(current, settings.clock.now(), settings.limits.expirySkewMs);
    return isDue ? undefined : current;
  }

  function usableToken(signal?: AbortSignal): Promise<AccessToken | undefined> {
    return joinedRenewal(signal) ?? findUsableToken(signal);
  }

  async function findUsableToken(signal: AbortSignal | undefined): Promise<AccessToken | undefined> {
    const restoring = restored(signal);
    if (restoring !== undefined) await restoring;
    const snapshot = actor.getSnapshot();
    const { current } = accessTokens;
    if (current === undefined) {
      // A login is under way: its outcome is worth more than another 401.
      if (!isResting(snapshot)) await settled(signal);
      return accessTokens.current;
    }
    return isGoodFor(snapshot, current) ? current : renewed(current, signal);
  }

  const worksStill = (token: AccessToken): boolean => !isExpiring(token, settings.clock.now(), 0);

  function isGoodFor(snapshot: AuthorizationSnapshot, token: AccessToken): boolean {
    const now = settings.clock.now();
    if (!token.refreshable || !isDueForRefresh(token, now, settings.limits.expirySkewMs)) return true;
    // While someone is asked for more scopes, which may take minutes, and while a refresh that failed rests.
    return (isStepUp(snapshot) || now < accessTokens.refreshRestsUntilEpochMs) && worksStill(token);
  }

  /** One for all who find the same token about to expire: each of ten thousand would otherwise watch the chart by itself. */
  let renewal: Renewal | undefined;

  /** The renewal of the token in use, if one is under way: whoever comes meanwhile waits for its promise and has no other work. */
  function joinedRenewal(signal: AbortSignal | undefined): Promise<AccessToken | undefined> | undefined {
    if (renewal === undefined || renewal.version !== accessTokens.current?.version) return undefined;
    const snapshot = actor.getSnapshot();
    // The chart is asked once for each of its snapshots, and not by each who comes.
    if (snapshot !== renewal.seenAt) {
      // One that has just been cancelled is over, although those who waited for it have not been told yet.
      if (snapshot.status !== 'active' || isResting(snapshot)) return undefined;
      renewal.seenAt = snapshot;
    }
    return orAborted(renewal.token, signal);
  }

  function renewed(token: AccessToken, signal: AbortSignal | undefined): Promise<AccessToken | undefined> {
    const joined = joinedRenewal(signal);
    if (joined !== undefined) return joined;
    const begun: Renewal = { version: token.version, token: renew(token), seenAt: undefined };
    const isOver = (): void => {
      if (renewal === begun) renewal = undefined;
    };
    begun.token.then(isOver, isOver);
    renewal = begun;
    return orAborted(begun.token, signal);
  }

  async function renew(token: AccessToken): Promise<AccessToken | undefined> {
    try {
      await authorize({ reason: 'expiring', tokenVersion: token.version }, { signal: undefined, failedFlows: history.failed() });
    } catch (thrown) {
      const isPassing = thrown instanceof AuthorizationError && thrown.failure.retryable;
      if (!isPassing || accessTokens.current?.version !== token.version || !worksStill(token)) throw thrown;
      // The store or a server is down, and the token still works.
      accessTokens.refreshRestsUntilEpochMs = settings.clock.now() + settings.limits.retryDelayMaxMs;
    }
    return accessTokens.current;
  }

  async function authorize(challenge: Challenge, { signal, failedFlows }: Waiting): Promise<boolean> {
    const shareFailure = (): void => {
      const failed = history.failureFor(challenge, failedFlows);
      if (failed !== undefined) throw new AuthorizationError(failed);
    };
    while (!isResting(actor.getSnapshot())) {
      const snapshot = await until(actor, hasAnswer, signal);
      if (needsClient(snapshot)) throw clientNeeded(snapshot);
      shareFailure();
      // A refresh that failed while the old token still works has no other outcome.
      if (challenge.reason === 'expiring' || accessTokens.current?.version !== challenge.tokenVersion) return false;
      // It was another matter: this one comes next.
    }
    // The flow this request would have joined may have ended before its answer came.
    shareFailure();
    send({ type: 'challenge.received', challenge });
    // Nothing has begun: the token it is about is no longer in use.
    if (isResting(actor.getSnapshot())) return false;
    await settled(signal);
    return true;
  }

  /** Rests, so that an event of ours is heard. */
  async function rested(signal: AbortSignal | undefined): Promise<void> {
    const snapshot = await until(actor, hasAnswer, signal);
    if (needsClient(snapshot)) throw clientNeeded(snapshot);
  }

  async function authorizeNow(scopes: readonly string[] | undefined, signal: AbortSignal | undefined): Promise<void> {
    const isEnough = (token: AccessToken | undefined): boolean =>
      token !== undefined && !isExpiring(token, settings.clock.now(), 0) && missingScopes(scopes, token.scopes).length === 0;
    if (isEnough(await usableToken(signal))) return;
    await rested(signal);
    if (isEnough(accessTokens.current)) return;
    // What was there before is asked for again: explicit scopes add to a token, and never take from it (SCO-04).
    const { token } = actor.getSnapshot().context;
    const asked = scopes && scopeUnion(token?.requestedScopes, token?.scopes, scopes);
    send({ type: 'authorization.begin', ...(asked !== undefined && { scopes: asked }) });
    await settled(signal);
    const missing = missingScopes(scopes, accessTokens.current?.scopes);
    if (missing.length > 0) {
      throw new AuthorizationError(
        failure('scope_not_granted', 'authorization', { missingScopes: missing, reason: `Missing: ${missing.join(' ')}.` }),
      );
    }
  }

  return {
    actor,
    environment,
    send,
    failedFlows: history.failed,
    restored,
    usableToken,
    readyToken,
    authorize,
    settled,
    authorizeNow,
    async signOut({ forgetRegistration = false }) {
      send({ type: 'session.signOut', forgetRegistration });
      const { context } = await until(actor, isResting);
      const { failure: failed } = context;
      // `signed_out` is what the others are told, who waited for the flow this has ended.
      if (failed !== undefined && failed.code !== 'signed_out') throw new AuthorizationError(failed);
    },
    async close() {
      actor.stop();
      const { redirect, refreshTurn, flowTurn, obtaining } = open;
      open.redirect = undefined;
      open.refreshTurn = undefined;
      // Tokens on their way are the credential: they are stored before anything ends.
      await obtaining?.done;
      // What was decided is stored and what was begun is finished: nothing writes after this,
      await Promise.allSettled([redirect?.close(), environment.journal.flushed(), ...environment.cleanUps]);
      // but for tokens that would be gone with this memory (RFR-07).
      await saveUnsaved(environment).catch(() => undefined);
      await refreshTurn?.release();
      // Now another process can go on with the login.
      await flowTurn?.release();
    },
  };
}
