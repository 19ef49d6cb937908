/**
 * Brings the user to the authorization page in the system's browser and back to
 * a listener on this machine, RFC 8252 section 7.3. The listener is ready before
 * the user is sent away (AUT-04).
 */
import { FailureError } from '../failure.ts';
import { type CallbackListener, listenForCallback } from './callback-listener.ts';
import type { RedirectRequest, RedirectTarget, UserAgent } from './contract.ts';
import { addressesToTry, type LoopbackAddress } from './loopback-address.ts';
import { type OpenUrl, openInBrowser } from './open-url.ts';
import { urlToOpen } from './url-to-open.ts';

export interface LoopbackOptions {
  /** The name of your application on the page the browser ends on. Default: none is shown. */
  readonly applicationName?: string;
  /**
   * Opens the authorization page. `false`: nothing is opened, and
   * `status.authorizationUrl` shows where to go. Default: the system's browser.
   */
  readonly openUrl?: OpenUrl | false;
  /**
   * Called instead of failing when no browser could be opened: the listener waits
   * on, and the user can open the URL by hand. Default: `status.warning` says so.
   */
  readonly onOpenFailed?: (authorizationUrl: string) => void;
}

/**
 * A user agent for programs on the user's own machine.
 *
 * `open` fails with `redirect_unavailable` if none of the addresses can be had,
 * with `invalid_configuration` if no redirect URI is a loopback one; `present`
 * fails with `url_refused` for what is not an http(s) URL, and with
 * `user_agent_failed` if no browser can be started.
 */
export function loopback(options: LoopbackOptions = {}): UserAgent {
  const openUrl = options.openUrl ?? openInBrowser;
  return {
    async open(request: RedirectRequest): Promise<RedirectTarget> {
      const listener = await listenOnFirstFree(addressesToTry(request), request, options.applicationName);
      return {
        redirectUri: listener.redirectUri,
        async present({ authorizationUrl, isShown, signal }) {
          signal.throwIfAborted();
          const url = urlToOpen(authorizationUrl);
          if (openUrl === false || isShown === true) return;
          try {
            await openUrl(url);
          } catch {
            if (options.onOpenFailed === undefined) throw new FailureError('user_agent_failed', 'authorization');
            options.onOpenFailed(url);
          }
        },
        async close() {
          listener.close();
        },
      };
    },
  };
}

async function listenOnFirstFree(
  addresses: readonly LoopbackAddress[],
  request: RedirectRequest,
  applicationName: string | undefined,
): Promise<CallbackListener> {
  const problems: string[] = [];
  for (const address of addresses) {
    try {
      return await listenForCallback({ address, deliver: request.deliver, applicationName });
    } catch (error) {
      problems.push(`${address.hostname}:${address.port === 0 ? 'any port' : address.port}: ${whyNot(error)}`);
    }
  }
  throw new FailureError('redirect_unavailable', 'authorization', { reason: `(${problems.join('; ')})`, problems });
}

function whyNot(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  if (code === 'EADDRINUSE') return 'another program listens there';
  if (code === 'EACCES') return 'this user may not listen there';
  return code;
}
