/** The public names of authchart's core. It runs wherever there is `fetch`: Node, browsers, workers. */
export { AuthorizationError } from './errors.ts';
export type { Failure, FailureCode, FailureDetails, NextAction, Phase } from './failure.ts';
export type { Limits } from './limits.ts';
export type { AuthorizationClientOptions, FetchLike, IssuerPolicy, LogRecord, PreregisteredClient, UrlPurpose } from './options.ts';
export type { AuthorizationStatus, Progress } from './status.ts';
export type { Store } from './stores/contract.ts';
export type { UserAgent } from './user-agents/contract.ts';
