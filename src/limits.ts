/** Every bound in one place: unit in the name, the reason beside it. */

export interface Limits {
  /** One request to a metadata, registration or token endpoint, headers and body together. */
  readonly requestTimeoutMs: number;
  /** A metadata document, registration or token response. Real ones are under 20 kB. */
  readonly responseBytes: number;
  /** Tries of a repeatable request that fails with 5xx, 429 or a network error, the first included. */
  readonly requestTries: number;
  /** First pause between tries; doubles each time. */
  readonly retryDelayMs: number;
  /** The longest pause between tries, also where `Retry-After` asks for more. */
  readonly retryDelayMaxMs: number;
  /** How long the user may take, from the moment the authorization URL exists (AUT-07). */
  readonly userDeadlineMs: number;
  /** How long a user agent may take to have its redirect URI ready, before anyone is sent away (AUT-04). */
  readonly redirectReadyMs: number;
  /** One-shot request bodies are kept up to this size for the replay after authorization (FET-05). */
  readonly replayBufferBytes: number;
  /** An access token is refreshed when it expires within this time (FET-09). */
  readonly expirySkewMs: number;
  /** A lease ends this long after its owner last renewed it; takeover within 5 s (RES-08). */
  readonly leaseMs: number;
  /** How long to wait for another's refresh before giving up as retryable. */
  readonly leaseWaitMs: number;
  /** One operation of the store or the vault; longer than the file store waits for a lock that is held (15 s). */
  readonly storeOperationMs: number;
  /** Step-ups one request may cause (SCO-05). */
  readonly stepUpsPerRequest: number;
  /** The same operation may cause the same step-up again after this time. */
  readonly stepUpWindowMs: number;
  /** Server metadata is used this long where the server does not say (ASM-07). */
  readonly metadataMaxAgeMs: number;
  /** Authorization servers tried in the order the resource names them (PRM-04). */
  readonly authorizationServersTried: number;
  /** Server-supplied text in errors and pages (TOK-04), in characters. */
  readonly serverTextCharacters: number;
}

const MINUTE_MS = 60_000;

export const DEFAULT_LIMITS: Limits = {
  requestTimeoutMs: 20_000,
  responseBytes: 256 * 1024,
  requestTries: 3,
  retryDelayMs: 250,
  retryDelayMaxMs: 10_000,
  userDeadlineMs: 10 * MINUTE_MS,
  redirectReadyMs: 30_000,
  replayBufferBytes: 4 * 1024 * 1024,
  expirySkewMs: 30_000,
  leaseMs: 4_000,
  leaseWaitMs: 60_000,
  storeOperationMs: 40_000,
  stepUpsPerRequest: 3,
  stepUpWindowMs: 10 * MINUTE_MS,
  metadataMaxAgeMs: 60 * MINUTE_MS,
  authorizationServersTried: 5,
  serverTextCharacters: 300,
};
