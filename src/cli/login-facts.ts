/** A stored login as a person reads it. */
import type { AuthorizationStatus } from '../status.ts';
import { factsTable } from './report/facts-table.ts';
import type { Style } from './report/style.ts';
import { CLIENT_SOURCES, duration, scopeList, shown } from './report/words.ts';

/** A login is stored; its access token may be in the middle of being renewed. */
export function isSignedIn(step: AuthorizationStatus['step']): boolean {
  return step === 'authorized' || step === 'refreshing';
}

/** Somebody has begun to sign in, here or in another process, and it is not over. */
export function isSigningIn(step: AuthorizationStatus['step']): boolean {
  return !isSignedIn(step) && !RESTING.has(step);
}

const RESTING: ReadonlySet<AuthorizationStatus['step']> = new Set(['idle', 'unauthorized', 'cancelled', 'failed']);

export function loginFacts(status: AuthorizationStatus, nowEpochMs: number, style: Style): string {
  const { resource, account, issuer, registration, grantedScopes, expiresAtEpochSeconds } = status;
  return factsTable(
    [
      ['Resource', shown(resource)],
      ['Account', shown(account)],
      ['Issuer', shown(issuer)],
      ['Client', registration === undefined ? undefined : CLIENT_SOURCES[registration]],
      ['Scopes', scopeList(grantedScopes)],
      ['Access token', expiresAtEpochSeconds === undefined ? undefined : expiry(expiresAtEpochSeconds, nowEpochMs)],
    ],
    style,
  );
}

function expiry(atEpochSeconds: number, nowEpochMs: number): string {
  const left = atEpochSeconds - nowEpochMs / 1000;
  const instant = new Date(atEpochSeconds * 1000).toISOString().replace('T', ' ').slice(0, 16);
  return left > 0 ? `valid for ${duration(left)} (until ${instant} UTC)` : `expired ${duration(-left)} ago (${instant} UTC)`;
}
