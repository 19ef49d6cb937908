/** The public names of authchart's core. It runs wherever there is `fetch`: Node, browsers, workers. */

export { checkClientMetadataDocument } from './check-client-metadata-document.ts';
export {
  type AuthorizationClient,
  type AuthorizeOptions,
  type CancelOptions,
  createAuthorizationClient,
  type IssuedAccessToken,
  type StatusListener,
} from './client.ts';
export type { Clock } from './clock.ts';
export { type Diagnosis, discover } from './diagnosis.ts';
export { AuthorizationError } from './errors.ts';
export type { Failure, FailureCode, FailureDetails, NextAction, Phase } from './failure.ts';
export type { SignOutOptions } from './flow.ts';
export type { AuthorizationHostOptions, HostedAccount, HostedClientOptions, HostedLogin, UserNeeded } from './host/host-options.ts';
export type { HostedClient } from './host/hosted-client.ts';
export {
  type AuthorizationHost,
  createAuthorizationHost,
} from './host.ts';
export type { Limits } from './limits.ts';
export type {
  AuthorizationClientOptions,
  ClientAuthenticator,
  FetchLike,
  Inspector,
  IssuerPolicy,
  LogRecord,
  PreregisteredClient,
  ServerUrlExceptions,
  ServerUrlRule,
  UrlPurpose,
} from './options.ts';
export { clientMetadataDocument } from './protocol/client-metadata-document.ts';
export type { ClientMetadata, Probe, ServerMetadata } from './protocol/documents.ts';
export type { ProvidedClient } from './provided-client.ts';
export type { AuthorizationStatus, Progress } from './status.ts';
export type { JsonObject, JsonValue, Lease, Store, StoredRecord, WriteOptions, WriteResult } from './stores/contract.ts';
export { memoryStore } from './stores/memory-store.ts';
export type { CallbackOutcome, RedirectRequest, RedirectTarget, UserAgent } from './user-agents/contract.ts';
