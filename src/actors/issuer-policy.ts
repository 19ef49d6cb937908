/** What the embedder said about one issuer, under either spelling where that is tolerated (ASM-03). */
import type { IssuerPolicy } from '../options.ts';
import type { Settings } from '../settings.ts';

export function issuerPolicy({ issuers }: Settings, issuer: string): IssuerPolicy | undefined {
  const exact = issuers[issuer];
  if (exact !== undefined) return exact;
  const tolerant = issuers[issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`];
  return tolerant?.tolerateTrailingSlash === true ? tolerant : undefined;
}

/** One issuer, for credentials that were agreed with it: identical, or different by the slash that is tolerated of it. */
export function isSameIssuer(settings: Settings, one: string, other: string): boolean {
  if (one === other) return true;
  const bare = (issuer: string): string => issuer.replace(/\/$/, '');
  return bare(one) === bare(other) && issuerPolicy(settings, other)?.tolerateTrailingSlash === true;
}
