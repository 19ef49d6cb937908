/** What callers do with the chart: raise a challenge and wait, begin, sign out, close. */
import type { Actor } from 'xstate';
import type { AuthorizationMachine } from '../machines/authorization-machine.ts';
import type { AuthorizationEvent, Challenge } from '../machines/contracts.ts';
import { type AuthorizationSnapshot, isResting } from '../machines/selectors.ts';
import { type AccessToken, isExpiring } from './access-token.ts';
import type { Environment } from './actors/environment.ts';
import { AuthorizationError } from './errors.ts';
import { failure } from './failure.ts';
import { createFlowActor } from './flow-actor.ts';
import { missingScopes } from './protocol/scopes.ts';
import { until } from './until.ts';

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
  /** How many flows have ended without a token: a request remembers where it started. */
  failedFlows(): number;
  /** Resolves once the store has been read; `undefined` if it has been. */
  restored(signal?: AbortSignal): Promise<void> | undefined;
  /** The token to send, refreshed if it is about to expire (FET-09). A good one costs nothing (FET-11). */
  usableToken(signal?: AbortSignal): Promise<AccessToken | undefined>;
  /** Raises the challenge, or joins the flow that is under way; rejects with the failure it ends in. */
  authorize(challenge: Challenge, waiting: Waiting): Promise<void>;
  /** Obtains a token that has these scopes, without a request. */
  authorizeNow(scopes?: readonly string[], signal?: AbortSignal): Promise<void>;
  /** Waits for the flow under way; rejects with the failure it ends in. */
  settled(signal?: AbortSignal): Promise<AuthorizationSnapshot>;
  signOut(options: SignOutOptions): Promise<void>;
  close(): Promise<void>;
}

/** Nothing goes on by itself from here: the waiting have their answer. */
const hasAnswer = (snapshot: AuthorizationSnapshot): boolean => isResting(snapshot) || needsClient(snapshot);

// The flow waits for an identifier, and can be resumed; a request cannot wait for someone to register a client.
const needsClient = (snapshot: AuthorizationSnapshot): boolean => snapshot.matches({ working: { loggingIn: 'awaitingClient' } });

export function createFlow(environment: Environment): Flow {
  const { settings, accessTokens, open } = environment;
  const { actor, send } = createFlowActor(environment);
  let failedFlows = 0;
  let wasResting = true;
  actor.subscribe((snapshot) => {
    const resting = isResting(snapshot);
    if (resting && !wasResting && snapshot.context.failure !== undefined) failedFlows += 1;
    wasResting = resting;
  });

  async function settled(signal?: AbortSignal): Promise<AuthorizationSnapshot> {
    const snapshot = await until(actor, hasAnswer, signal);
    if (needsClient(snapshot)) {
      const issuer = snapshot.context.authorizationServer?.issuer;
      throw new AuthorizationError(failure('client_identifier_required', 'registration', issuer === undefined ? {} : { issuer }));
    }
    if (snapshot.context.failure !== undefined) throw new AuthorizationError(snapshot.context.failure);
    return snapshot;
  }

  function restored(signal?: AbortSignal): Promise<void> | undefined {
    return actor.getSnapshot().context.restored ? undefined : readStore(signal);
  }

  async function readStore(signal?: AbortSignal): Promise<void> {
    if (isResting(actor.getSnapshot())) send({ type: 'session.restore' });
    const snapshot = await until(actor, (now) => now.context.restored || isResting(now), signal);
    if (isResting(snapshot) && snapshot.context.failure !== undefined) throw new AuthorizationError(snapshot.context.failure);
  }

  async function usableToken(signal?: AbortSignal): Promise<AccessToken | undefined> {
    const restoring = restored(signal);
    if (restoring !== undefined) await restoring;
    const { current } = accessTokens;
    if (current === undefined) {
      // A login is under way: its outcome is worth more than another 401.
      if (!isResting(actor.getSnapshot())) await settled(signal);
      return accessTokens.current;
    }
    if (!current.refreshable || !isExpiring(current, settings.clock.now(), settings.limits.expirySkewMs)) return current;
    await authorize({ reason: 'expiring', tokenVersion: current.version }, { signal, failedFlows });
    return accessTokens.current;
  }

  async function authorize(challenge: Challenge, { signal, failedFlows: failedBefore }: Waiting): Promise<void> {
    const before = actor.getSnapshot();
    if (!isResting(before)) {
      await settled(signal);
      // It was another flow's outcome, and it has not touched the token that was challenged.
      if (accessTokens.current?.version !== challenge.tokenVersion) return;
    } else if (before.context.failure !== undefined && failedFlows > failedBefore) {
      // The flow this request would have joined has ended meanwhile: its failure is everyone's (FET-06).
      throw new AuthorizationError(before.context.failure);
    }
    send({ type: 'challenge.received', challenge });
    await settled(signal);
  }

  return {
    actor,
    environment,
    send,
    failedFlows: () => failedFlows,
    restored,
    usableToken,
    authorize,
    settled,
    async authorizeNow(scopes, signal) {
      const token = await usableToken(signal);
      const isGood = token !== undefined && !isExpiring(token, settings.clock.now(), 0);
      if (isGood && missingScopes(scopes, token.scopes).length === 0) return;
      send({ type: 'authorization.begin', ...(scopes !== undefined && { scopes }) });
      await settled(signal);
    },
    async signOut({ forgetRegistration = false }) {
      send({ type: 'session.signOut', forgetRegistration });
      const { context } = await until(actor, isResting);
      const { failure: failed } = context;
      // `signed_out` is what the others are told, who waited for the flow this has ended.
      if (failed !== undefined && failed.code !== 'signed_out') throw new AuthorizationError(failed);
    },
    async close() {
      actor.stop();
      const { redirect, refreshTurn } = open;
      open.redirect = undefined;
      open.refreshTurn = undefined;
      // What was decided is stored and what was begun is finished: nothing writes after this.
      await Promise.allSettled([redirect?.close(), refreshTurn?.release(), environment.journal.flushed(), ...environment.cleanUps]);
    },
  };
}
