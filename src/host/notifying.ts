/** The user agent of a host: it opens nothing, and tells the embedder that a user has to approve. */
import type { UserAgent } from '../user-agents/contract.ts';
import type { AuthorizationHostOptions, HostedLogin } from './host-options.ts';

export function notifying(
  login: HostedLogin,
  redirectUri: string,
  onUserNeeded: NonNullable<AuthorizationHostOptions['onUserNeeded']>,
): UserAgent {
  return {
    async open({ preferredRedirectUri, preferredOnly = false }) {
      return {
        // A login that was begun with another redirect URI comes back to that one.
        redirectUri: preferredOnly && preferredRedirectUri !== undefined ? preferredRedirectUri : redirectUri,
        present: async ({ authorizationUrl, issuer, isShown = false, signal }) =>
          onUserNeeded({ ...login, authorizationUrl, issuer, isResumed: preferredOnly || isShown, signal }),
        close: async () => {},
      };
    },
  };
}
