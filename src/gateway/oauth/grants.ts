/**
 * Grants: what a person has allowed a client, with the upstream tokens behind it. The
 * whole record is sealed; clients never see an upstream token (GWY-08).
 *
 * A grant has a generation, which every refresh raises by compare-and-set. A refresh
 * token names its generation, so that any older one is known for what it is without a
 * list of all that were ever issued.
 */
import { createLeases } from '../../durable/lease.ts';
import { takeTurn } from '../../durable/take-turns.ts';
import { FailureError } from '../../failure.ts';
import type { IssuedTokens } from '../../protocol/documents.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { createGrantRecords, type Grant, type UpstreamCredential } from './grant-records.ts';
import { randomText } from './random-text.ts';
import { createUnsavedRenewals } from './unsaved-renewals.ts';
import type { Upstream, UpstreamTokens } from './upstream.ts';

export type Rotation =
  | { readonly outcome: 'rotated'; readonly grant: Grant }
  /** The grant has ended, or never was. */
  | { readonly outcome: 'ended' }
  /** An older refresh token came: two hold it, and the grant has to end. */
  | { readonly outcome: 'reused' };

/**
 * Whether a token that is about to expire will do while somebody else is renewing it: `usable` (default), or it has to be a
 * `fresh` one. One of which nobody told how long it lasts is as good as ended for whoever needs a fresh one.
 */
export type UpstreamNeed = 'usable' | 'fresh';

export interface Grants {
  /** For a code: without being redeemed it ends with it. */
  open(o: { readonly clientId: string; readonly scopes: readonly string[]; readonly tokens: UpstreamTokens }): Promise<string>;
  read(grantId: string): Promise<Grant | undefined>;
  /** The code was redeemed: the grant lasts. `undefined`: it has ended meanwhile. */
  redeem(grantId: string): Promise<Grant | undefined>;
  /** A refresh token of this generation was presented. */
  rotate(grantId: string, generation: number): Promise<Rotation>;
  /** Ends the grant here and its tokens upstream. */
  end(grantId: string): Promise<void>;
  /** The upstream token of a grant, refreshed where it is about to expire. @throws FailureError; `refresh_rejected`: it is over */
  upstreamToken(grant: Grant, signal: AbortSignal, needs?: UpstreamNeed): Promise<UpstreamCredential>;
}

type IsEnough = (credential: UpstreamCredential) => boolean;

/** Grants that are known to have to end, and could not be ended yet. */
const MOST_DOOMED = 10_000;
/** An upstream token is refreshed when it expires within this time. */
export const EXPIRY_SKEW_MS = 30_000;
const LEASE_MS = 15_000;
/** The backend has this long to look at a token that is used while another is fetched. */
const USED_WITHIN_MS = 10_000;
/** Replicas have clocks of their own. */
const CLOCKS_DIFFER_MS = 5_000;
const LEASE_WAIT_MS = 20_000;
/** A code that is redeemed in its last moment finds its grant still there, and whoever ends it finds what to revoke upstream. */
const AFTER_CODE_MS = 9 * 60_000;

export function createGrants(
  settings: Pick<GatewaySettings, 'store' | 'vault' | 'clock' | 'limits' | 'seconds'>,
  upstream: Upstream,
): Grants {
  const { store, vault, clock, limits, seconds } = settings;
  const leases = createLeases({ store, clock, leaseMs: LEASE_MS });
  const lifetime = (): number => clock.now() + seconds.refresh * 1000;

  const records = createGrantRecords({ store, vault });
  const unsaved = createUnsavedRenewals();
  const doomed = new Set<string>();

  const end = async (grantId: string): Promise<void> => {
    const [oldest] = doomed.size >= MOST_DOOMED ? doomed : [];
    if (oldest !== undefined) doomed.delete(oldest);
    doomed.add(grantId);
    // It is over with this one write. Were it deleted at once, nobody who comes after a lost answer or a dead process would know
    // which upstream tokens are left.
    const ended = await records.change(grantId, (grant) => ({ ...grant, hasEnded: true }));
    doomed.delete(grantId);
    if (ended === undefined) return;
    await upstream.end(unsaved.newest(grantId, ended.upstream));
    unsaved.forget(grantId);
    // Otherwise it lies there until it expires.
    await records.delete(grantId).catch(() => {});
  };

  /** Also of no use is one that has to end, wherever it is asked for: its end is tried again first. */
  const load = async (grantId: string): Promise<Grant | undefined> => {
    if (doomed.has(grantId)) await end(grantId);
    const grant = await records.read(grantId);
    return grant?.hasEnded === true ? undefined : grant;
  };

  const change = (grantId: string, next: (grant: Grant) => Grant | undefined): Promise<Grant | undefined> =>
    records.change(grantId, (grant) => (grant.hasEnded === true ? undefined : next(grant)));

  const lasts = ({ expiresAtEpochMs = Number.POSITIVE_INFINITY }: UpstreamCredential, forMs: number): boolean =>
    expiresAtEpochMs > clock.now() + forMs;

  /** Not ended with its caller: the old refresh token may be spent by now, and the new one has to be kept. */
  const renewal = async ({ refreshToken }: UpstreamCredential): Promise<UpstreamCredential> => {
    if (refreshToken === undefined) throw over();
    return credentialOf(await upstream.refresh(refreshToken), clock.now(), refreshToken);
  };

  const refreshUnderLease = async (grantId: string, signal: AbortSignal, isFresh: IsEnough): Promise<UpstreamCredential> => {
    const stored = (await load(grantId))?.upstream;
    if (stored === undefined) throw over();
    if (isFresh(stored)) return stored;
    const newest = unsaved.newest(grantId, stored);
    const renewed = newest !== stored && isFresh(newest) ? newest : await renewal(newest);
    unsaved.note(grantId, stored, renewed);
    const changed = await change(grantId, (current) => ({ ...current, upstream: renewed }));
    unsaved.forget(grantId);
    if (changed === undefined) {
      // The grant has ended meanwhile: what has just come must not outlive it.
      await upstream.end(renewed);
      throw over();
    }
    signal.throwIfAborted();
    return renewed;
  };

  /** `isFresh`: it need not be renewed; `isEnough`: it serves while another renews it. */
  const refreshed = async (
    grantId: string,
    signal: AbortSignal,
    { isFresh, isEnough }: { readonly isFresh: IsEnough; readonly isEnough: IsEnough },
  ): Promise<UpstreamCredential> => {
    const taken = await takeTurn<UpstreamCredential>(leases, `lease/${grantId}`, {
      clock,
      waitMs: LEASE_WAIT_MS,
      signal,
      busy: { code: 'refresh_busy', phase: 'refresh' },
      meanwhile: async () => {
        const current = (await load(grantId))?.upstream;
        return current !== undefined && isEnough(current) ? current : undefined;
      },
    });
    if ('done' in taken) return taken.done;
    try {
      return await refreshUnderLease(grantId, signal, isFresh);
    } catch (thrown) {
      if (thrown instanceof FailureError && thrown.failure.code === 'refresh_rejected') await end(grantId);
      throw thrown;
    } finally {
      await taken.turn.release();
    }
  };

  return {
    async open({ clientId, scopes, tokens }) {
      const grantId = randomText();
      const expiresAtEpochMs = clock.now() + limits.codeSeconds * 1000 + AFTER_CODE_MS;
      const credential = credentialOf(tokens, clock.now());
      const grant = {
        grantId,
        clientId,
        scopes,
        subject: tokens.subject,
        generation: 0,
        rotatedAtEpochMs: 0,
        upstream: credential,
        expiresAtEpochMs,
      };
      await records.open(grant);
      return grantId;
    },
    read: load,
    redeem: (grantId) => change(grantId, (grant) => ({ ...grant, expiresAtEpochMs: lifetime() })),

    async rotate(grantId, generation) {
      let outcome: Rotation['outcome'] = 'ended';
      const grant = await change(grantId, (current) => {
        outcome = 'rotated';
        if (generation === current.generation) {
          return { ...current, generation: generation + 1, rotatedAtEpochMs: clock.now(), expiresAtEpochMs: lifetime() };
        }
        // The answer was lost, or two of one client's processes refresh at once: they get the same generation.
        const sinceMs = clock.now() - current.rotatedAtEpochMs;
        // A clock that was set back must not lengthen that.
        const isRetry = generation === current.generation - 1 && sinceMs >= -CLOCKS_DIFFER_MS && sinceMs < seconds.grace * 1000;
        if (isRetry) return current;
        outcome = 'reused';
        return undefined;
      });
      if (grant !== undefined) return { outcome: 'rotated', grant };
      return (outcome as Rotation['outcome']) === 'reused' ? { outcome: 'reused' } : { outcome: 'ended' };
    },

    end,

    async upstreamToken({ grantId, upstream: held }, signal, needs = 'usable') {
      // Who needs a fresh one of unknown length takes any but the one that was there before.
      const isUnknown = held.expiresAtEpochMs === undefined && held.refreshToken !== undefined && needs === 'fresh';
      const isNew = ({ accessToken }: UpstreamCredential): boolean => !isUnknown || accessToken !== held.accessToken;
      const isFresh: IsEnough = (credential) => isNew(credential) && lasts(credential, EXPIRY_SKEW_MS);
      const isUsable: IsEnough = (credential) => isNew(credential) && lasts(credential, USED_WITHIN_MS);
      const hasLeft = (): boolean => isNew(held) && lasts(held, 0);
      // One that cannot be renewed serves to its last moment.
      if (isFresh(held) || (held.refreshToken === undefined && hasLeft())) return held;
      try {
        // Who renews it may be slow, or dead with the lease in hand: nobody else waits for that as long as the old one serves.
        return await refreshed(grantId, signal, { isFresh, isEnough: needs === 'usable' ? isUsable : isFresh });
      } catch (thrown) {
        // A bad moment upstream: what is left of the token's life is used.
        if (thrown instanceof FailureError && thrown.failure.retryable && hasLeft()) return held;
        throw thrown;
      }
    },
  };
}

function credentialOf(tokens: IssuedTokens, nowEpochMs: number, oldRefreshToken?: string): UpstreamCredential {
  const refreshToken = tokens.refreshToken ?? oldRefreshToken;
  return {
    accessToken: tokens.accessToken,
    ...(refreshToken !== undefined && { refreshToken }),
    ...(tokens.expiresInSeconds !== undefined && { expiresAtEpochMs: nowEpochMs + tokens.expiresInSeconds * 1000 }),
  };
}

function over(): FailureError {
  return new FailureError('refresh_rejected', 'refresh', { reason: 'The grant has ended, or its upstream tokens cannot be renewed.' });
}
