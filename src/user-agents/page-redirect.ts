/**
 * Sends the page itself to the authorization server. The attempt is in the store
 * by then, and the page that the user comes back to goes on with it:
 * `completeFromPage(client)` there takes the callback (RES-06).
 */
import type { RedirectRequest, RedirectTarget, UserAgent } from './contract.ts';
import { redirectUriOfOrigin } from './page-redirect-uri.ts';
import { urlToOpen } from './url-to-open.ts';

export interface PageRedirectOptions {
  /** Leaves the page for this URL. Default: `location.assign`, from which the back button leads here again. */
  readonly assign?: (url: string) => void;
}

/**
 * A user agent for single-page applications.
 *
 * A page that restores an attempt stays where it is: whoever came back without an
 * answer, by the back button or a reload, is not sent away again at once. Its
 * `status` is `awaiting-user` with the same `authorizationUrl`, for a link to go on,
 * and `cancel()` gives the attempt up.
 *
 * `open` fails with `invalid_configuration` if no redirect URI is of this page's
 * origin, `present` with `url_refused` for what is not an http(s) URL.
 */
export function pageRedirect({ assign = (url) => globalThis.location.assign(url) }: PageRedirectOptions = {}): UserAgent {
  return {
    async open(request: RedirectRequest): Promise<RedirectTarget> {
      const isResumed = request.preferredOnly === true;
      return {
        redirectUri: redirectUriOfOrigin(request, globalThis.location.origin),
        async present({ authorizationUrl, isShown, signal }) {
          signal.throwIfAborted();
          const url = urlToOpen(authorizationUrl);
          if (!isResumed && isShown !== true) assign(url);
        },
        async close() {},
      };
    },
  };
}
