/**
 * Every way authchart can fail: stable codes, each with what happened, what to
 * do, and whether trying again can help. `docs/errors.md` is generated from it.
 */
import type { NextAction } from './failure.ts';

interface KnownFailure {
  readonly message: string;
  readonly advice: string;
  readonly action: NextAction;
  readonly retryable: boolean;
}

const again = { action: 'authorize-again', retryable: false } as const;
const retry = { action: 'retry', retryable: true } as const;
const reconfigure = { action: 'reconfigure', retryable: false } as const;
const report = { action: 'report-to-server', retryable: false } as const;
const none = { action: 'none', retryable: false } as const;

const serverDown = 'Try again later; every stored credential was kept.';

export const FAILURE_CODES = {
  // configuration and requests
  invalid_configuration: {
    message: 'The configuration is wrong.',
    advice: 'Mend what is named, then try again.',
    ...reconfigure,
  },
  url_outside_resource: {
    message: 'The URL does not belong to the protected resource, so no access token may be sent to it.',
    advice: 'Use a plain fetch for other servers, or create a client for that resource.',
    ...reconfigure,
  },
  request_not_resent: {
    message: 'Authorization completed, but the request was not resent because its one-shot body is larger than the replay limit.',
    advice: 'Send the request again; the access token is ready. Raise `limits.replayBufferBytes` if such bodies are common.',
    ...retry,
  },
  access_token_rejected: {
    message: 'The resource rejected an access token that was issued a moment ago.',
    advice: 'Ask the operator of the resource whether it accepts tokens of this authorization server for this resource identifier.',
    ...report,
  },
  cancelled: { message: 'The authorization was cancelled.', advice: 'Send the request again to start a new authorization.', ...none },
  signed_out: {
    message: 'The account was signed out while the authorization was under way.',
    advice: 'Send the request again to sign in.',
    ...none,
  },
  closed: { message: 'The client has been closed.', advice: 'Create a new client.', ...reconfigure },
  host_busy: {
    message: 'The host has as many clients at work as it may hold.',
    advice: 'Send the request again soon; raise `maxClients` if this is its usual load.',
    ...retry,
  },
  internal_error: {
    message: 'authchart met an error it has no name for.',
    advice: 'Report it with the inspector events around it; credentials were kept.',
    ...retry,
  },

  // every network read
  network_unreachable: { message: 'A server could not be reached.', advice: serverDown, ...retry },
  network_timeout: {
    message: 'A server did not answer in time.',
    advice: `${serverDown} Raise \`limits.requestTimeoutMs\` if it is always this slow.`,
    ...retry,
  },
  server_unavailable: { message: 'A server answered that it cannot serve the request now.', advice: serverDown, ...retry },
  response_too_large: {
    message: 'A server sent more than the size limit allows.',
    advice: 'Report it to the server; raise `limits.responseBytes` only if the size is legitimate.',
    ...report,
  },
  redirect_refused: {
    message: 'A server redirected a request that must not be redirected.',
    advice: 'Configure the final URL, or report it to the server.',
    ...report,
  },
  url_refused: { message: 'A URL named by a server may not be used.', advice: 'Report it to the server.', ...report },
  url_refused_by_policy: {
    message: 'A server named a URL that the policy for such URLs refuses; nothing was sent there.',
    advice: 'Report it to the server. If you trust that URL, except it: `serverUrls.except`, or --allow-origin on the command line.',
    ...report,
  },

  // discovery
  resource_mismatch: {
    message: 'The protected resource metadata is for another resource.',
    advice: 'Use the resource identifier of the document as `resource`, or report it to the server.',
    ...report,
  },
  no_authorization_server: {
    message: 'No authorization server named by the resource can be used.',
    advice: 'See what `authchart discover` says of the resource, and report what is wrong to the server.',
    ...report,
  },
  issuer_mismatch: {
    message: 'The authorization server metadata names another issuer than the one it was fetched for.',
    advice:
      "Report it to the server: RFC 8414 section 3.3 forbids its use. If they differ by a slash at the end only, and you trust it: `issuers: { '<issuer>': { tolerateTrailingSlash: true } }`.",
    ...report,
  },
  endpoint_refused: {
    message: 'The authorization server metadata names an endpoint that is not https (or http on loopback).',
    advice: 'Report it to the server.',
    ...report,
  },
  pkce_not_supported: {
    message: 'The authorization server does not say that it supports PKCE with S256.',
    advice: "Report it to the server. If you know that it does: `issuers: { '<issuer>': { assumePkce: true } }`.",
    ...report,
  },
  metadata_incomplete: {
    message: 'The authorization server metadata lacks what the flow needs.',
    advice: 'Report it to the server, or give its metadata yourself: `serverMetadata`.',
    ...report,
  },

  // issuer binding and registration
  client_issuer_mismatch: {
    message: 'The pre-registered client belongs to another issuer.',
    advice:
      'Configure a client identifier for this issuer (`preregistered`), or find out why the resource changed its authorization server.',
    ...reconfigure,
  },
  issuer_changed: {
    message: 'The authorization server changed between redirect and callback; the code was not sent anywhere.',
    advice: 'Start the authorization again.',
    ...again,
  },
  registration_rejected: {
    message: 'The authorization server refused to register the client.',
    advice:
      "Read the server's reason; adjust `clientMetadata`, its redirect URIs first, or configure a client identifier: `preregistered`, or --client-id on the command line.",
    ...reconfigure,
  },
  registration_unusable: {
    message: 'The registration response cannot be used.',
    advice: 'Report it to the server, or configure a client identifier: `preregistered`, or --client-id on the command line.',
    ...report,
  },
  client_identifier_required: {
    message: 'The authorization server offers no way to register; a client identifier has to be entered.',
    advice:
      "Register the client with the server's operator, and provide its identifier: `provideClient`, `preregistered`, or --client-id on the command line.",
    action: 'provide-client-identifier',
    retryable: false,
  },
  client_rejected: {
    message: 'The authorization server does not accept the client.',
    advice: 'Check the client identifier and its secret.',
    ...reconfigure,
  },

  // the user's part
  redirect_unavailable: {
    message: 'The redirect target could not be made ready.',
    advice: 'Free the port, or use another redirect URI: `clientMetadata.redirect_uris`, or --redirect-uri on the command line.',
    ...retry,
  },
  user_agent_failed: { message: 'The authorization page could not be opened.', advice: 'Open the authorization URL by hand.', ...retry },
  authorization_denied: {
    message: 'The user refused the authorization.',
    advice: 'Send the request again if that was a mistake.',
    ...none,
  },
  authorization_rejected: {
    message: 'The authorization server answered the authorization request with an error.',
    advice: "Read the server's reason, then start again.",
    ...again,
  },
  authorization_expired: {
    message: 'The user did not come back in time.',
    advice: 'Start the authorization again; `limits.userDeadlineMs` says how long the user may take.',
    ...again,
  },
  client_not_expected: {
    message: 'No authorization waits for a client identifier; nothing was changed.',
    advice: 'Provide it while the status is awaiting-client, or configure it as pre-registered.',
    ...none,
  },
  callback_not_expected: {
    message: 'The callback belongs to no authorization that is waiting; nothing was changed.',
    advice: 'Start the authorization again, and use each callback once.',
    ...again,
  },
  callback_account_mismatch: {
    message: 'The callback came from a browser that is not signed in as the account it is for; nothing was changed.',
    advice: 'Sign in as that account in this browser, and open the callback again or start again.',
    ...again,
  },
  callback_account_unknown: {
    message: 'The host could not find out whose browser brought the callback; nothing was changed.',
    advice: 'Load the page again; look for what `identify` threw.',
    ...retry,
  },
  callback_invalid: { message: 'The callback is not a usable authorization response.', advice: 'Start the authorization again.', ...again },
  callback_issuer_mismatch: {
    message: 'The callback was issued by another authorization server than the one asked (RFC 9207).',
    advice: 'Do not continue: this is what a mix-up attack looks like. Report it to the server.',
    ...report,
  },
  callback_issuer_missing: {
    message: 'The callback lacks the issuer that the authorization server promises to send (RFC 9207).',
    advice: 'Do not continue; report it to the server.',
    ...report,
  },

  // token endpoint
  code_rejected: {
    message: 'The authorization server rejected the authorization code.',
    advice: 'Start the authorization again; a code is never sent twice.',
    ...again,
  },
  token_request_rejected: { message: 'The token endpoint answered with an error.', advice: "Read the server's reason.", ...report },
  token_response_invalid: { message: 'The token response cannot be used.', advice: 'Report it to the server.', ...report },
  refresh_rejected: {
    message: 'The refresh token is no longer valid.',
    advice: 'Send the request again: the user is asked to log in.',
    ...again,
  },
  login_busy: {
    message: 'Another process has this login under way, and makes no progress with it.',
    advice: 'End that process, or cancel the login everywhere (`cancel({ everywhere: true })`); then send the request again.',
    ...retry,
  },
  registration_busy: {
    message: 'Another process is registering this client and has not finished in time.',
    advice: 'Try again later; nothing was registered from here.',
    ...retry,
  },
  refresh_busy: { message: 'Another process is refreshing this credential and has not finished in time.', advice: serverDown, ...retry },

  // scopes
  scope_not_granted: {
    message: 'The authorization was granted without scopes that the request needs.',
    advice: 'Ask the user to grant them, or have an administrator allow them.',
    ...again,
  },
  step_up_limit: {
    message: 'The resource keeps asking for more scopes for the same operation.',
    advice: 'Report it to the resource; it does not accept the scopes it asked for.',
    ...report,
  },

  // storage
  store_failed: {
    message: 'The store could not be read or written.',
    advice: 'Check that the store is reachable and writable; nothing was deleted.',
    ...retry,
  },
  record_unreadable: {
    message: 'A stored record is damaged or was written by a newer version; its content was kept.',
    advice: 'Upgrade authchart, or sign out to discard the record: `signOut()`, or `authchart logout`.',
    ...reconfigure,
  },
  vault_key_unknown: {
    message: 'A vault entry is sealed with a key that is not configured; it was left untouched.',
    advice:
      'Configure that key beside the current one, or discard what it sealed: `signOut({ forgetRegistration: true })`, or `authchart logout --forget-registration`.',
    ...reconfigure,
  },
  vault_key_wrong: {
    message:
      'A vault entry cannot be opened with the key it names: the key is another one now, or the entry was changed. It was left untouched.',
    advice:
      'Configure the key that sealed it, and give every new key an identifier of its own. If that key is lost: `signOut({ forgetRegistration: true })`, or `authchart logout --forget-registration`.',
    ...reconfigure,
  },
  keychain_unavailable: {
    message: 'The keychain of the operating system cannot be used.',
    advice: 'Unlock it, or allow the access, and try again; where none runs, use another vault (docs/storage.md). Nothing was deleted.',
    ...retry,
  },
  keychain_not_installed: {
    message: 'The library for the keychain of the operating system cannot be loaded.',
    advice: 'Install the npm package @napi-rs/keyring, version 2.1 or newer, beside authchart, or use another vault.',
    ...reconfigure,
  },
  flow_taken_over: {
    message: 'Another process has taken over this authorization.',
    advice: 'Nothing was lost: it goes on there, and the next request adopts its outcome.',
    ...retry,
  },
  tokens_not_stored: {
    message: 'New tokens could not be stored; they work until this process ends.',
    advice: 'Repair the store; the tokens are written with the next change.',
    ...retry,
  },
  credentials_missing: { message: 'The vault no longer holds the secrets that a record points to.', advice: 'Sign in again.', ...again },
} as const satisfies Record<string, KnownFailure>;

export type FailureCode = keyof typeof FAILURE_CODES;
