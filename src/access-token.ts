/**
 * The access token in use, in memory of this process only: what `fetch` attaches
 * without input, output or a transition (FET-11). Only actors write it.
 */
import type { CredentialFacts, CredentialTokens } from './records/credential-records.ts';

export interface AccessToken {
  readonly value: string;
  readonly tokenType: 'Bearer' | 'DPoP';
  readonly version: string;
  readonly expiresAtEpochSeconds?: number;
  readonly refreshable: boolean;
  readonly scopes: readonly string[];
}

/** Tokens the store did not take; they must outlive its failure (RFR-07). */
export interface UnsavedTokens {
  readonly facts: CredentialFacts;
  readonly tokens: CredentialTokens;
  /** The version of the record they replace. */
  readonly basedOn: string | undefined;
}

export interface AccessTokenHolder {
  /** The token, if there is one. */
  readonly current: AccessToken | undefined;
  /** A token the resource rejected as soon as it was issued: refreshing it would end the same way. */
  rejectedVersion: string | undefined;
  unsaved: UnsavedTokens | undefined;
  hold(token: AccessToken | undefined): void;
}

export function createAccessTokenHolder(): AccessTokenHolder {
  let current: AccessToken | undefined;
  return {
    unsaved: undefined,
    rejectedVersion: undefined,
    get current() {
      return current;
    },
    hold(token) {
      current = token;
    },
  };
}

/** True if the token ends within `skewMs` from now. */
export function isExpiring(token: { readonly expiresAtEpochSeconds?: number }, nowEpochMs: number, skewMs: number): boolean {
  return token.expiresAtEpochSeconds !== undefined && token.expiresAtEpochSeconds * 1000 - nowEpochMs <= skewMs;
}
