/**
 * How a person is brought to the authorization server and back. A user agent
 * makes the redirect target ready before the user is sent away (AUT-04).
 */
import type { Failure } from '../failure.ts';

/** What became of a callback, so that the page shown to the user can say so. */
export type CallbackOutcome = { readonly accepted: true } | { readonly accepted: false; readonly failure: Failure };

export interface RedirectRequest {
  /** Redirect URIs of the client metadata; a loopback one without port takes any port. */
  readonly redirectUris: readonly string[];
  /** The redirect URI to take if it can be had: an earlier registration or a resumed attempt uses it (REG-05, RES-07). */
  readonly preferredRedirectUri?: string;
  /** True if only `preferredRedirectUri` will do: the user's browser is already on its way to it. */
  readonly preferredOnly?: boolean;
  /**
   * Hands over the full callback URL. Resolves once the callback is stored and
   * checked (not once the code is exchanged), so that the page can wait for it.
   */
  readonly deliver: (callbackUrl: string) => Promise<CallbackOutcome>;
}

export interface RedirectTarget {
  /** The exact redirect URI to register and send. */
  readonly redirectUri: string;
  /** Brings the user to the page; called after the attempt is stored. May be called again on resume. */
  present(authorization: {
    readonly authorizationUrl: string;
    readonly issuer: string;
    /** Another process has opened the page already, and has died since: what would open a second one need not. */
    readonly isShown?: boolean;
    readonly signal: AbortSignal;
  }): Promise<void>;
  /** Frees what was opened; may be called more than once. */
  close(): Promise<void>;
}

export interface UserAgent {
  open(request: RedirectRequest): Promise<RedirectTarget>;
}
