/** The records of grants: sealed as a whole, since each holds upstream tokens (GWY-08). */
import * as z from 'zod/mini';
import { FailureError } from '../../failure.ts';
import { decodeRecord, RECORD_FORMAT } from '../../records/record-format.ts';
import type { GatewaySettings } from './gateway-settings.ts';

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
  /** It is over, and its upstream tokens may be left to revoke. */
  readonly hasEnded?: boolean | undefined;
}

export interface UpstreamCredential {
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  readonly expiresAtEpochMs?: number | undefined;
}

export interface GrantRecords {
  /** Also one that has ended. */
  read(grantId: string): Promise<Grant | undefined>;
  open(grant: Grant): Promise<void>;
  /** By what `next` makes of it, as often as another gets in between; `undefined` where it is gone or `next` refuses. */
  change(grantId: string, next: (grant: Grant) => Grant | undefined): Promise<Grant | undefined>;
  delete(grantId: string): Promise<void>;
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
  hasEnded: z.optional(z.boolean()),
});

interface ReadGrant {
  readonly grant: Grant;
  readonly version: string;
}

/** Grants kept open in memory. */
const MOST_OPENED = 1_000;
const ROUNDS = 10;

export function createGrantRecords({ store, vault }: Pick<GatewaySettings, 'store' | 'vault'>): GrantRecords {
  const keyOf = (grantId: string): string => `grant/${grantId}`;
  /** By key, as it was in this version: opening a sealed grant for every request would be most of what the request costs. */
  const opened = new Map<string, ReadGrant>();

  const load = async (grantId: string): Promise<ReadGrant | undefined> => {
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

  return {
    read: async (grantId) => (await load(grantId))?.grant,
    open: async (grant) => void (await keep(grant, null)),
    async change(grantId, next) {
      for (let round = 0; round < ROUNDS; round += 1) {
        const loaded = await load(grantId);
        const changed = loaded && next(loaded.grant);
        if (loaded === undefined || changed === undefined) return undefined;
        if (await keep(changed, loaded.version)) return changed;
      }
      throw new FailureError('store_failed', 'storage', { reason: 'Other processes kept changing the grant.' });
    },
    delete: async (grantId) => void (await vault.delete(keyOf(grantId))),
  };
}
