/**
 * Upstream tokens that were renewed and that the store would not take. The refresh token in the store is spent by then:
 * presented again, it would end the grant at an identity provider that detects reuse. They are kept while the process lives.
 */
import type { UpstreamCredential } from './grant-records.ts';

export interface UnsavedRenewals {
  /** What came of the stored tokens, or those. */
  newest(grantId: string, stored: UpstreamCredential): UpstreamCredential;
  note(grantId: string, stored: UpstreamCredential, renewed: UpstreamCredential): void;
  forget(grantId: string): void;
}

const MOST_NOTED = 10_000;

export function createUnsavedRenewals(): UnsavedRenewals {
  const noted = new Map<string, { readonly spent: string | undefined; readonly renewed: UpstreamCredential }>();
  return {
    newest(grantId, stored) {
      const known = noted.get(grantId);
      // Otherwise another process has renewed them since.
      return known !== undefined && known.spent === stored.refreshToken ? known.renewed : stored;
    },
    note(grantId, stored, renewed) {
      const [oldest] = noted.size >= MOST_NOTED ? noted.keys() : [];
      if (oldest !== undefined) noted.delete(oldest);
      noted.set(grantId, { spent: stored.refreshToken, renewed });
    },
    forget: (grantId) => void noted.delete(grantId),
  };
}
