/** What the chart of a gateway's authorization transaction holds, is told and asks for: plain JSON, free of secrets. */

/** What a client asked for, once it was found to be in order. */
export interface TransactionRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** PKCE, S256 (RFC 7636 section 4.2). */
  readonly codeChallenge: string;
}

/** Why a transaction ended without a code: an error code of RFC 6749 section 4.1.2.1, and ours for the log. */
export interface TransactionFailure {
  readonly error: string;
  readonly code?: string | undefined;
}

export interface TransactionContext {
  readonly id: string;
  readonly request: TransactionRequest;
  /** The person is done with consent and upstream by then, or begins again. */
  readonly deadlineEpochMs: number;
  /** Digest of the cookie of the one browser that may go on. */
  readonly browserDigest?: string | undefined;
  /** Digest of what the consent form has to bring along. */
  readonly formDigest?: string | undefined;
  /** Digest of the `state` that was sent upstream. */
  readonly stateDigest?: string | undefined;
  /** Digest of the code, how long it may be redeemed, and the grant behind it. */
  readonly code?: IssuedCode | undefined;
  readonly failure?: TransactionFailure | undefined;
}

export interface IssuedCode {
  readonly digest: string;
  readonly deadlineEpochMs: number;
  readonly grantId: string;
}

export interface TransactionInput {
  readonly id: string;
  readonly request: TransactionRequest;
  readonly deadlineEpochMs: number;
}

export type TransactionEvent =
  | { readonly type: 'consent.given' }
  | { readonly type: 'consent.refused' }
  /** The response of the upstream authorization server holds a code. */
  | { readonly type: 'callback.arrived' }
  /** It holds an error, or cannot be believed. */
  | { readonly type: 'callback.failed'; readonly failure: TransactionFailure }
  /** The code was presented by its client, with all that proves it. */
  | { readonly type: 'code.presented' }
  /** The deadline of the present state has passed, or it is time to try again. */
  | { readonly type: 'deadline.passed' };

export type TransactionTag = 'working' | 'waitingForUser' | 'waitingForClient' | 'terminal' | 'granted' | 'retryable' | 'unsafeToRepeat';

/** Input and output of every actor. A rejection is a `TransactionFailure`, as plain data. */
export interface TransactionActorContracts {
  openConsent: { input: { id: string }; output: { readonly browserDigest: string; readonly formDigest: string } };
  prepareUpstream: {
    input: { id: string; request: TransactionRequest };
    output: { readonly browserDigest: string; readonly stateDigest: string };
  };
  exchangeUpstream: { input: { id: string; request: TransactionRequest }; output: { readonly code: IssuedCode } };
  endGrant: { input: { grantId: string }; output: unknown };
}

export type TransactionActorName = keyof TransactionActorContracts;
