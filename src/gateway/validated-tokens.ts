/** What is known of tokens that were valid a moment ago: by digest, for a short time, and of so many at most. */
import type { Clock } from '../clock.ts';
import type { ValidatedToken } from './token-validator.ts';

export interface ValidatedTokens {
  find(digest: string, token: string): ValidatedToken | undefined;
  keep(digest: string, validated: ValidatedToken): void;
  readonly size: number;
}

export interface ValidatedTokensOptions {
  readonly maxAgeMs: number;
  readonly maxEntries: number;
  readonly clock: Clock;
}

interface Entry {
  /** Without the token, which the caller brings. */
  readonly validated: Omit<ValidatedToken, 'token'>;
  readonly fromEpochMs: number;
  readonly untilEpochMs: number;
}

export function validatedTokens({ maxAgeMs, maxEntries, clock }: ValidatedTokensOptions): ValidatedTokens {
  const entries = new Map<string, Entry>();
  return {
    find(digest, token) {
      const entry = entries.get(digest);
      if (entry === undefined) return undefined;
      const now = clock.now();
      // A clock that was set back must not make anything last.
      if (now >= entry.fromEpochMs && now < entry.untilEpochMs) return { ...entry.validated, token };
      entries.delete(digest);
      return undefined;
    },
    keep(digest, { token: _, ...validated }) {
      const now = clock.now();
      const expiresAtEpochMs = (validated.expiresAtEpochSeconds ?? Number.POSITIVE_INFINITY) * 1000;
      const untilEpochMs = Math.min(now + maxAgeMs, expiresAtEpochMs);
      if (untilEpochMs <= now || maxEntries === 0) return;
      entries.delete(digest);
      // Maps keep their order: the first came first and expires first.
      const [oldest] = entries.size >= maxEntries ? entries.keys() : [];
      if (oldest !== undefined) entries.delete(oldest);
      entries.set(digest, { validated, fromEpochMs: now, untilEpochMs });
    },
    get size() {
      return entries.size;
    },
  };
}
