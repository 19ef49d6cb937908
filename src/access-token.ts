/**
 * The access token in use, in memory of this process only: what `fetch` attaches
 * without input, output or a transition (FET-11). Only actors write it.
 */
import type { CredentialFacts, CredentialTokens } from './records/credential-records.ts';

export interface AccessToken {
  readonly value: string;
  /** The `Authorization` header that carries it, RFC 6750 section 2.1. */
  readonly header: string;
  readonly tokenType: 'Bearer' | 'DPoP';
  readonly version: string;
  readonly obtainedAtEpochSeconds: number;
  readonly expiresAtEpochSeconds?: number;
  readonly refreshable: boolean;
  readonly scopes: readonly string[];
  /** It was found in the store and not issued to this process: it may have ended long ago. */
  readonly isAdopted: boolean;
}

/** Tokens the store did not take; they must outlive its failure (RFR-07). */
export interface UnsavedTokens {
  readonly facts: CredentialFacts;
  readonly tokens: CredentialTokens;
  /** The version of the record they replace. */
  readonly basedOn: string | undefined;
  /** Of a login, which is based on no record: the version it found there. */
  readonly foundVersion: string | undefined;
}

const UNSAVED = 'unsaved-';

/** A version that no record has: the store has never seen these tokens. */
export const unsavedVersion = (): string => `${UNSAVED}${crypto.randomUUID()}`;

export const isUnsaved = ({ version }: { readonly version: string }): boolean => version.startsWith(UNSAVED);

export interface AccessTokenHolder {
  /** The token, if there is one. */
  readonly current: AccessToken | undefined;
  /** A token the resource rejected as soon as it was issued: refreshing it would end the same way. */
  rejectedVersion: string | undefined;
  unsaved: UnsavedTokens | undefined;
  /** A refresh failed while the token still worked: it is left alone until then. 0 if none did. */
  refreshRestsUntilEpochMs: number;
  hold(token: AccessToken | undefined): void;
}

export function createAccessTokenHolder(): AccessTokenHolder {
  let current: AccessToken | undefined;
  return {
    unsaved: undefined,
    rejectedVersion: undefined,
    refreshRestsUntilEpochMs: 0,
    get current() {
      return current;
    },
    hold(token) {
      if (token?.version !== current?.version) this.refreshRestsUntilEpochMs = 0;
      current = token;
    },
  };
}

/** True if the token ends within `skewMs` from now. */
export function isExpiring(token: { readonly expiresAtEpochSeconds?: number }, nowEpochMs: number, skewMs: number): boolean {
  return token.expiresAtEpochSeconds !== undefined && token.expiresAtEpochSeconds * 1000 - nowEpochMs <= skewMs;
}

interface Lifetime {
  readonly obtainedAtEpochSeconds: number;
  readonly expiresAtEpochSeconds?: number;
}

/**
 * True if the token is to be refreshed before it is used (FET-09): `skewMs` before
 * its end, but not in the first half of its life. A token that lives shorter than
 * the skew would otherwise be refreshed for every request.
 */
export function isDueForRefresh(token: Lifetime, nowEpochMs: number, skewMs: number): boolean {
  if (token.expiresAtEpochSeconds === undefined) return false;
  const lifetimeMs = (token.expiresAtEpochSeconds - token.obtainedAtEpochSeconds) * 1000;
  return isExpiring(token, nowEpochMs, Math.min(skewMs, lifetimeMs / 2));
}
