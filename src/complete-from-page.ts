/** Takes the callback out of the address of a page, where pages are what the user comes back to. */
import type { AuthorizationClient } from './client.ts';
import { systemClock } from './clock.ts';
import { AuthorizationError, toAuthorizationError } from './errors.ts';
import type { AuthorizationStatus } from './status.ts';
import { handOver } from './user-agents/callback-channel.ts';
import type { CallbackOutcome } from './user-agents/contract.ts';

/** What of a client is used here. */
export type CompletingClient = Pick<AuthorizationClient, 'redirectUris' | 'status' | 'restore' | 'subscribe' | 'completeAuthorization'>;

/**
 * Call it once when a page has loaded. If its address is a callback, the attempt is
 * completed, and the address is the plain redirect URI again as soon as the callback is
 * stored: the code stays neither in the address bar nor in the tab's history, and reaches no
 * other site as a referrer. On any other page this is `client.restore()`.
 *
 * A page that is reloaded after its callback was used is no error if the account is signed in.
 *
 * @throws AuthorizationError as `completeAuthorization` does.
 */
export async function completeFromPage(client: CompletingClient): Promise<AuthorizationStatus> {
  const callback = callbackOfPage(client.redirectUris);
  if (callback === undefined) return client.restore();
  const stop = client.subscribe(({ step }) => {
    // From here on the store has it, whichever tab goes on with it.
    if (step === 'exchanging' || step === 'awaiting-other') callback.hide();
  });
  try {
    return await client.completeAuthorization(callback.url);
  } catch (thrown) {
    if (!(thrown instanceof AuthorizationError && thrown.code === 'callback_not_expected')) throw thrown;
    // It has changed nothing: the page shows what the store holds, as it would without the callback.
    const status = await client.restore().catch(() => undefined);
    if (status?.step === 'authorized') return status;
    throw thrown;
  } finally {
    stop();
    callback.hide();
  }
}

/**
 * The same for the page a `popup()` comes back to: hands the callback to the page that
 * opened it, and closes the window. Where that page is gone, the attempt is completed
 * here. Rejects never: a page can show what became of the callback, or nothing where
 * `undefined` says that there was none.
 */
export async function completeFromPopup(client: CompletingClient): Promise<CallbackOutcome | undefined> {
  const callback = callbackOfPage(client.redirectUris);
  if (callback === undefined) return undefined;
  const outcome = await handOver(callback.url, systemClock).catch(() => undefined);
  if (outcome !== undefined) {
    callback.hide();
    // Does nothing in a window that no script has opened; the user closes that one.
    if (outcome.accepted) globalThis.close();
    return outcome;
  }
  try {
    await completeFromPage(client);
    return { accepted: true };
  } catch (thrown) {
    return { accepted: false, failure: toAuthorizationError(thrown, 'authorization').failure };
  }
}

interface PageCallback {
  readonly url: string;
  /** Puts the redirect URI into the address bar, without what was added to it. */
  hide(): void;
}

function callbackOfPage(redirectUris: readonly string[]): PageCallback | undefined {
  const { href } = globalThis.location;
  const redirectUri = redirectUris.find((uri) => isBelow(uri, href));
  if (redirectUri === undefined || !isResponse(href)) return undefined;
  return {
    url: href,
    hide() {
      // The application may have gone elsewhere meanwhile.
      if (globalThis.location.href === href) globalThis.history.replaceState(globalThis.history.state, '', redirectUri);
    },
  };
}

/** RFC 6749 section 4.1.2; without `state` it is none of ours (AUT-05). */
function isResponse(url: string): boolean {
  const { searchParams } = new URL(url);
  return searchParams.has('state') && (searchParams.has('code') || searchParams.has('error'));
}

/** The redirect URI with parameters added to its own, if it has any. */
function isBelow(redirectUri: string, url: string): boolean {
  const [expected, seen] = [URL.parse(redirectUri), new URL(url)];
  if (expected?.origin !== seen.origin || expected.pathname !== seen.pathname) return false;
  return [...expected.searchParams].every(([name, value]) => seen.searchParams.getAll(name).includes(value));
}
