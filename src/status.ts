/** What user interfaces show (OBS-02): a small union, changed only when a person could see a difference. */
import type { Failure } from './failure.ts';
import type { ClientSource } from './protocol/documents.ts';

/** Facts that may be known in any step. */
export interface StatusFacts {
  readonly resource: string;
  readonly account: string;
  readonly issuer?: string;
  readonly registration?: ClientSource;
  readonly requestedScopes?: readonly string[];
  readonly grantedScopes?: readonly string[];
  readonly missingScopes?: readonly string[];
  readonly expiresAtEpochSeconds?: number;
  /** Something went wrong that did not stop the flow, e.g. tokens that could not be stored (RFR-07). */
  readonly warning?: Failure;
}

export type AuthorizationStatus = StatusFacts &
  (
    | { readonly step: 'idle' | 'restoring' | 'unauthorized' | 'cancelled' | 'signing-out' }
    | {
        readonly step: 'discovering' | 'registering' | 'preparing' | 'exchanging' | 'refreshing' | 'stepping-up';
        readonly description: string;
      }
    /** The user has to approve at `authorizationUrl` before the deadline. */
    | {
        readonly step: 'awaiting-user';
        readonly authorizationUrl: string;
        readonly deadlineEpochSeconds: number;
        readonly description: string;
      }
    /**
     * Another process or tab that shares the store has this login under way: its outcome is taken over. The user is
     * asked there, at `authorizationUrl` once there is one; nothing has to be opened here.
     */
    | {
        readonly step: 'awaiting-other';
        readonly authorizationUrl?: string;
        readonly deadlineEpochSeconds?: number;
        readonly description: string;
      }
    /** A client identifier has to be entered: `provideClient`. */
    | { readonly step: 'awaiting-client'; readonly description: string }
    | { readonly step: 'authorized' }
    | { readonly step: 'failed'; readonly failure: Failure }
  );

/** Steps done and steps in all of the flow under way; never runs backwards within an attempt (OBS-03). */
export interface Progress {
  readonly completed: number;
  readonly total: number;
}
