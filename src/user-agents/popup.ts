/**
 * Sends the user to the authorization server in a window of its own, so that the
 * page stays as it is. The window comes back to a page of this origin, where
 * `completeFromPopup(client)` hands the callback over and closes it.
 */
import { FailureError } from '../failure.ts';
import type { AuthorizationStatus } from '../status.ts';
import { listenForCallbacks } from './callback-channel.ts';
import type { RedirectRequest, RedirectTarget, UserAgent } from './contract.ts';
import { redirectUriOfOrigin } from './page-redirect-uri.ts';
import { urlToOpen } from './url-to-open.ts';

export interface PopupOptions {
  /** Width of the window in CSS pixels. Default 480. */
  readonly width?: number;
  /** Height of the window in CSS pixels. Default 720. */
  readonly height?: number;
}

/** What of a client is used here. */
export interface ClickedClient {
  authorize(): Promise<AuthorizationStatus>;
  subscribe(listener: (status: AuthorizationStatus) => void): () => void;
}

export interface PopupUserAgent extends UserAgent {
  /**
   * Opens the window in the click that asks for it, empty, and then does `work` (default: `client.authorize()`), which
   * will send it on its way: browsers block windows that open some seconds after a click, and discovery may take as
   * long. A window that is not needed, also because another tab asks the user, is closed.
   */
  fromClick(client: ClickedClient): Promise<AuthorizationStatus>;
  /** The same, with work of your own. */
  fromClick<Result>(client: ClickedClient, work: () => Promise<Result>): Promise<Result>;
}

/**
 * A user agent that opens a popup window.
 *
 * `present` fails with `user_agent_failed` if the browser blocks the window: the flow
 * waits on, `status.warning` says so, and a link to `status.authorizationUrl` does as
 * well, in this tab or another. The same holds for a user who closes the window, which
 * nobody can tell from one that has left for a page with its own opener policy. A page
 * that restores an attempt opens no window, and hears the callback all the same.
 *
 * `open` fails with `invalid_configuration` if no redirect URI is of this page's origin.
 */
export function popup({ width = 480, height = 720 }: PopupOptions = {}): PopupUserAgent {
  let prepared: Window | undefined;

  const openEmpty = (): Window | undefined => {
    const opened = globalThis.open('', '_blank', `popup,width=${width},height=${height}`) ?? undefined;
    // The page that is shown there must not be able to send this one elsewhere.
    if (opened !== undefined) opened.opener = null;
    return opened;
  };

  return {
    async fromClick<Result>(client: ClickedClient, work?: () => Promise<Result>): Promise<Result | AuthorizationStatus> {
      prepared?.close();
      const mine = openEmpty();
      prepared = mine;
      const closeUnused = (): void => {
        if (mine === undefined || prepared !== mine) return;
        mine.close();
        prepared = undefined;
      };
      const stop = client.subscribe(({ step }) => {
        if (step === 'awaiting-other') closeUnused();
      });
      try {
        return await (work === undefined ? client.authorize() : work());
      } finally {
        stop();
        closeUnused();
      }
    },

    async open(request: RedirectRequest): Promise<RedirectTarget> {
      const isResumed = request.preferredOnly === true;
      const redirectUri = redirectUriOfOrigin(request, globalThis.location.origin);
      let shown: Window | undefined;
      let stopListening: (() => void) | undefined;
      return {
        redirectUri,
        async present({ authorizationUrl, isShown, signal }) {
          signal.throwIfAborted();
          const url = urlToOpen(authorizationUrl);
          stopListening?.();
          stopListening = listenForCallbacks({ isMine: answers(url, redirectUri), deliver: request.deliver });
          if (isResumed || isShown === true) return;
          shown = prepared?.closed === false ? prepared : openEmpty();
          prepared = undefined;
          if (shown === undefined) {
            throw new FailureError('user_agent_failed', 'authorization', { reason: 'The browser has blocked the popup window.' });
          }
          shown.location.replace(url);
        },
        async close() {
          stopListening?.();
          shown?.close();
        },
      };
    },
  };
}

/** Other pages wait for other callbacks; whether this one may be believed is for the flow to find out (AUT-05). */
function answers(authorizationUrl: string, redirectUri: string): (callbackUrl: string) => boolean {
  const state = new URL(authorizationUrl).searchParams.get('state');
  const expected = new URL(redirectUri);
  return (callbackUrl) => {
    const url = URL.parse(callbackUrl);
    if (url?.origin !== expected.origin || url.pathname !== expected.pathname) return false;
    // A pushed request does not show its state.
    return state === null || url.searchParams.get('state') === state;
  };
}
