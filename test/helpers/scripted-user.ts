/** A user agent without a browser: the scripted user approves or refuses as soon as the page is shown. */
import type { RedirectRequest, UserAgent } from '../../src/user-agents/contract.ts';

export const REDIRECT_URI = 'http://127.0.0.1:7777/callback';

export interface ScriptedUser extends UserAgent {
  /** Authorization URLs shown, in order: one browser tab each. */
  readonly shown: readonly string[];
  readonly opened: readonly RedirectRequest[];
  /** What the page was told of each callback. */
  readonly outcomes: readonly unknown[];
  readonly isOpen: boolean;
}

/** `act` plays the user: it returns the callback URL, or nothing to let the page lie. */
export function scriptedUser(
  act: (authorizationUrl: string) => Promise<string> | string | undefined,
  redirectUri = REDIRECT_URI,
): ScriptedUser {
  const shown: string[] = [];
  const opened: RedirectRequest[] = [];
  const outcomes: unknown[] = [];
  let isOpen = false;
  return {
    shown,
    opened,
    outcomes,
    get isOpen() {
      return isOpen;
    },
    async open(request) {
      opened.push(request);
      isOpen = true;
      return {
        redirectUri: request.preferredRedirectUri ?? redirectUri,
        async present({ authorizationUrl, isShown }) {
          // The page of another process is open, as far as anyone knows.
          if (isShown === true) return;
          shown.push(authorizationUrl);
          const callbackUrl = await act(authorizationUrl);
          if (callbackUrl !== undefined) void request.deliver(callbackUrl).then((outcome) => outcomes.push(outcome));
        },
        async close() {
          isOpen = false;
        },
      };
    },
  };
}
