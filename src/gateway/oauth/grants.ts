/**
 * Grants: what a person has allowed a client, with the upstream tokens behind it. The
 * whole record is sealed; clients never see an upstream token (GWY-08).
 *
 * A grant has a generation, which every refresh raises by compare-and-set. A refresh
 * token names its generation, so that any older one is known for what it is without a
 * list of all that were ever issued.
 */
import * as z from 'zod/mini';
import { createLeases } from '../../durable/lease.ts';
import { takeTurn } from '../../durable/take-turns.ts';
import { FailureError } from '../../failure.ts';
import type { IssuedTokens } from '../../protocol/documents.ts';
import { decodeRecord, RECORD_FORMAT } from '../../records/record-format.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { randomText } from './random-text.ts';
import { createUnsavedRenewals } from './unsaved-renewals.ts';
import type { Upstream, UpstreamTokens } from './upstream.ts';

export interface Grant {
  readonly grantId: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** `sub` upstream, where an ID token told it. */
  readonly subject?: string | undefined;
  readonly generation: number;
  readonly rotatedAtEpochMs: number;
  readonly upstream: UpstreamCredential;
  readonly expiresAtEpochMs: number;
}

export interface UpstreamCredential {
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  readonly expiresAtEpochMs?: number | undefined;
}

export type Rotation =
  | { readonly outcome: 'rotated'; readonly grant: Grant }
  /** The grant has ended, or never was. */
  | { readonly outcome: 'ended' }
  /** An older refresh token came: two hold it. The grant has ended by now. */
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

const record = z.object({
  grantId: z.string(),
  clientId: z.string(),
  scopes: z.array(z.string()),
  subject: z.optional(z.string()),
  generation: z.number(),
  rotatedAtEpochMs: z.number(),
  upstream: z.object({ accessToken: z.string(), refreshToken: z.optional(z.string()), expiresAtEpochMs: z.optional(z.number()) }),
  expiresAtEpochMs: z.number(),
});

type IsEnough = (credential: UpstreamCredential) => boolean;

interface OpenedGrant {
  readonly grant: Grant;
  readonly version: string;
}

/** Grants kept open in memory. */
const MOST_OPENED = 1_000;
const ROUNDS = 10;
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
  const keyOf = (grantId: string): string => `grant/${grantId}`;
  const lifetime = (): number => clock.now() + seconds.refresh * 1000;

  const unsaved = createUnsavedRenewals();
  /** By key, as it was in this version: opening a sealed grant for every request would be most of what the request costs. */
  const opened = new Map<string, OpenedGrant>();

  const load = async (grantId: string): Promise<OpenedGrant | undefined> => {
    const key = keyOf(grantId);
    const known = opened.get(key);
    // Whether it is still so is asked every time: what was revoked elsewhere is over here.
    if (known !== undefined && (await store.read(key))?.version === known.version) return known;
    opened.delete(key);
    const found = await vault.read(key);
    if (found === undefined) return undefined;
    const loaded = { grant: decodeRecord('grant', record, found), version: found.version };
    if (opened.size >= MOST_OPENED) opened.clear();
    opened.set(key, loaded);
    return loaded;
  };

  const keep = async (grant: Grant, expected: string | null): Promise<boolean> => {
    const value = JSON.parse(JSON.stringify({ format: RECORD_FORMAT, ...grant }));
    return (await vault.write(keyOf(grant.grantId), value, { expected, expiresAtEpochMs: grant.expiresAtEpochMs })).written;
  };

  /** Changes the grant by what `next` makes of it, as often as another gets in between; `undefined` where it is gone or `next` refuses. */
  const change = async (grantId: string, next: (grant: Grant) => Grant | undefined): Promise<Grant | undefined> => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const loaded = await load(grantId);
      const changed = loaded && next(loaded.grant);
      if (loaded === undefined || changed === undefined) return undefined;
      if (await keep(changed, loaded.version)) return changed;
    }
    throw new FailureError('store_failed', 'storage', { reason: 'Other processes kept changing the grant.' });
  };

  const end = async (grantId: string): Promise<void> => {
    const taken = await vault.take(keyOf(grantId));
    if (taken === undefined) return;
    await upstream.end(unsaved.newest(grantId, decodeRecord('grant', record, taken).upstream));
    unsaved.forget(grantId);
  };

  const lasts = ({ expiresAtEpochMs = Number.POSITIVE_INFINITY }: UpstreamCredential, forMs: number): boolean =>
    expiresAtEpochMs > clock.now() + forMs;

  /** Not ended with its caller: the old refresh token may be spent by now, and the new one has to be kept. */
  const renewal = async ({ refreshToken }: UpstreamCredential): Promise<UpstreamCredential> => {
    if (refreshToken === undefined) throw over();
    return credentialOf(await upstream.refresh(refreshToken), clock.now(), refreshToken);
  };

  const refreshUnderLease = async (grantId: string, signal: AbortSignal, isFresh: IsEnough): Promise<UpstreamCredential> => {
    const loaded = await load(grantId);
    if (loaded === undefined) throw over();
    const stored = loaded.grant.upstream;
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
        const current = (await load(grantId))?.grant.upstream;
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
      await keep(grant, null);
      return grantId;
    },
    read: async (grantId) => (await load(grantId))?.grant,
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
      if ((outcome as Rotation['outcome']) !== 'reused') return { outcome: 'ended' };
      await end(grantId);
      return { outcome: 'reused' };
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
