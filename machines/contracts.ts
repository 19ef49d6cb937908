/**
 * What the authorization chart knows, hears and asks for: plain JSON types only.
 *
 * No secret is ever part of them: tokens, codes, verifiers and client secrets
 * stay in the vault, and actors reach them by identifiers found here (SEC-01).
 */
import type { Failure } from '../src/failure.ts';
import type {
  ChallengeFacts,
  ClientSource,
  Probe,
  ResourceMetadata,
  ServerMetadata,
  TokenEndpointAuthMethod,
} from '../src/protocol/documents.ts';

/** Why authorization is wanted. */
export type Reason =
  /** A 401, or a request for authorization made without one. */
  | 'unauthorized'
  /** A 403 with `insufficient_scope`: the user has to grant more. */
  | 'insufficient-scope'
  /** The access token is about to expire. */
  | 'expiring';

export interface Challenge {
  readonly reason: Reason;
  readonly facts?: ChallengeFacts;
  /** Version of the credential the challenged request was sent with. */
  readonly tokenVersion?: string;
  /** That credential was never accepted: refreshing it once more would end in the same 401. */
  readonly neverAccepted?: boolean;
  /** Scopes the embedder asks for explicitly. */
  readonly scopes?: readonly string[];
  /** Method and path of the challenged request: what a step-up is bounded by (SCO-05). */
  readonly operation?: string;
}

/** One authorization server that may be tried, with the URLs its metadata may be found at. */
export interface IssuerCandidate {
  readonly issuer: string;
  readonly urls: readonly string[];
}

export interface Discovery {
  readonly resourceUrls: readonly string[];
  readonly resourceIndex: number;
  /** Absent after every candidate was tried: the legacy flow of the 2025-03-26 revision (PRM-05). */
  readonly resourceMetadata?: ResourceMetadata;
  readonly issuers: readonly IssuerCandidate[];
  readonly issuerIndex: number;
  readonly urlIndex: number;
  /** What stale metadata would explain: cached metadata is passed over (ASM-07). */
  readonly staleBecause?: Failure;
  /** Every look at every URL, with its verdict (OBS-05). */
  readonly probes: readonly Probe[];
}

export interface AuthorizationServer {
  readonly issuer: string;
  readonly metadata: ServerMetadata;
  /** `resource` as the protected resource metadata publishes it; absent on the legacy path. */
  readonly resourceIdentifier?: string;
  /** False on the legacy path. */
  readonly hasResourceMetadata: boolean;
  /** No metadata was found: the endpoints are the defaults of the 2025-03-26 revision. */
  readonly defaultEndpoints: boolean;
  readonly fromCache: boolean;
  /** `scopes_supported` of the protected resource metadata. */
  readonly resourceScopes?: readonly string[];
}

export interface ClientFacts {
  readonly clientId: string;
  readonly source: ClientSource;
  readonly authMethod: TokenEndpointAuthMethod;
  readonly redirectUri: string;
}

/** One attempt: everything about it but its verifier, which is in the vault under `attemptId`. */
export interface Grant {
  readonly attemptId: string;
  readonly authorizationUrl: string;
  readonly redirectUri: string;
  /** The issuer expected in the callback, recorded before the user leaves (ISS-08). */
  readonly issuer: string;
  readonly requestedScopes: readonly string[];
  readonly resourceParameter?: string;
  readonly deadlineEpochMs: number;
}

/** The credential in use; its tokens are in the vault. */
export interface TokenFacts {
  readonly issuer: string;
  readonly clientId: string;
  readonly publicClient?: boolean;
  readonly scopes: readonly string[];
  readonly requestedScopes: readonly string[];
  readonly resourceParameter?: string;
  readonly tokenType: 'Bearer' | 'DPoP';
  readonly expiresAtEpochSeconds?: number;
  readonly refreshable: boolean;
  readonly obtainedAtEpochSeconds: number;
  readonly version: string;
}

export interface StepUp {
  readonly operation: string;
  readonly challenged: readonly string[];
  readonly requested: readonly string[];
  readonly missing: readonly string[];
}

/** A step-up the user answered, kept to bound the next (SCO-05). */
export interface PastStepUp {
  readonly operation: string;
  readonly scopes: string;
  readonly atEpochMs: number;
}

/** A login of this account that another process or tab has under way: one person is asked once (RES-02). */
export interface Followed {
  /** Version of the flow's record when it was first looked at: an outcome is written after that. `null`: there was none. */
  readonly recordVersion: string | null;
  /** What the user was shown there, once there is something. */
  readonly grant?: Grant;
}

/** How often something was done over again in the flow under way; each has a bound in the chart. */
export interface Repeats {
  /** Tries of the request under way. */
  readonly tries: number;
  readonly registrations: number;
  readonly authorizations: number;
  readonly refreshed: boolean;
  /** The authorization server's redirect URI rules refused the first `application_type` (REG-07). */
  readonly otherApplicationType?: boolean;
}

export interface AuthorizationContext {
  readonly resource: string;
  readonly account: string;
  /** Well-known places of the resource's metadata, in order (PRM-01). */
  readonly wellKnownUrls: readonly string[];
  readonly requestTries: number;
  /** The store has been read: no credential that is there can be overlooked. */
  readonly restored: boolean;
  /** How many flows have begun here; with `repeats`, it tells one attempt from another (OBS-03). */
  readonly flows: number;
  readonly repeats: Repeats;
  readonly pastStepUps: readonly PastStepUp[];
  readonly challenge?: Challenge | undefined;
  readonly discovery?: Discovery | undefined;
  /** Metadata that was found and is not bound yet; absent on the legacy path. */
  readonly found?: ServerMetadata | undefined;
  readonly authorizationServer?: AuthorizationServer | undefined;
  readonly redirectUri?: string | undefined;
  readonly client?: ClientFacts | undefined;
  readonly grant?: Grant | undefined;
  readonly token?: TokenFacts | undefined;
  readonly stepUp?: StepUp | undefined;
  readonly followed?: Followed | undefined;
  /** Why the chart rests in `failed`. */
  readonly failure?: Failure | undefined;
  /** Something went wrong that did not stop the flow, e.g. tokens that could not be stored (RFR-07). */
  readonly warning?: Failure | undefined;
}

export interface AuthorizationInput {
  readonly resource: string;
  readonly account: string;
  readonly wellKnownUrls: readonly string[];
  readonly requestTries: number;
}

export type AuthorizationEvent =
  /** Read the store: is there a credential, or a flow to resume? */
  | { readonly type: 'session.restore' }
  /** A response or the embedder asks for authorization. */
  | { readonly type: 'challenge.received'; readonly challenge: Challenge }
  /** Ask the resource for its challenge, then authorize. */
  | { readonly type: 'authorization.begin'; readonly scopes?: readonly string[] }
  /** The callback of this attempt is in the vault. */
  | { readonly type: 'callback.received'; readonly attemptId: string }
  /** A client identifier was entered and is in the store. */
  | { readonly type: 'client.provided' }
  /** `everywhere`: also the login that another process has under way. */
  | { readonly type: 'authorization.cancel'; readonly everywhere?: boolean }
  | { readonly type: 'session.signOut'; readonly forgetRegistration: boolean };

/** Event types that may come from outside; the rest belong to the chart's own actors. */
export const PUBLIC_EVENTS: ReadonlySet<string> = new Set<AuthorizationEvent['type']>([
  'session.restore',
  'challenge.received',
  'authorization.begin',
  'callback.received',
  'client.provided',
  'authorization.cancel',
  'session.signOut',
]);

export type Tag =
  /** authchart works. */
  | 'working'
  /** A person has to act. */
  | 'waitingForUser'
  /** The flow ended without a credential. */
  | 'terminal'
  /** The same event may succeed later. */
  | 'retryable'
  /** Must not be run again blindly after a crash (RES-03). */
  | 'unsafeToRepeat';

export interface StateMeta {
  /** Requirement or standard this state implements. */
  readonly rule: string;
}

/** Where a restored flow goes on (RES-02, RES-03). */
export type ResumePlace =
  | 'authorized'
  /** Nothing to go on with; the next request starts from its own challenge. */
  | 'unauthorized'
  /** A client identifier was asked for: the way there is gone again, for the server may offer another by now (REG-01). */
  | 'discovering'
  /** A login is under way, here or elsewhere: whose turn it is decides. */
  | 'joining';

export interface RestoredFlow {
  readonly place: ResumePlace;
  /** The groups of the stored context that the place needs. */
  readonly context: Pick<
    AuthorizationContext,
    'challenge' | 'authorizationServer' | 'redirectUri' | 'client' | 'grant' | 'token' | 'stepUp'
  > & { readonly pastStepUps?: readonly PastStepUp[] };
}

/** Where a login goes on that was begun before. */
export type LoginPlace =
  /** The user has the page, and has not come back. */
  | 'reopeningRedirect'
  /** The user came back, and the code was never sent. */
  | 'checkingCallback';

/** The groups of a login under way that its checkpoint holds. */
export type UnfinishedLogin = Pick<
  AuthorizationContext,
  'challenge' | 'authorizationServer' | 'redirectUri' | 'client' | 'grant' | 'stepUp' | 'followed'
>;

/** What the store says of the login of this account, by the lease that one process at a time holds on it. */
export type FlowTurn =
  /** It is our turn, and there is nothing to go on with. */
  | { readonly outcome: 'begin' }
  /** It is our turn, and the login of an earlier holder goes on. */
  | { readonly outcome: 'resume'; readonly place: LoginPlace; readonly login: UnfinishedLogin }
  /** It is another's. */
  | { readonly outcome: 'follow'; readonly followed: Followed }
  /** Another has obtained what is wanted. */
  | { readonly outcome: 'adopted'; readonly token: TokenFacts }
  /** Another was refused, for all of us. */
  | { readonly outcome: 'ended'; readonly failure: Failure };

/** Tokens were obtained; `warning` if they could not be stored (RFR-07). */
export interface Obtained {
  readonly token: TokenFacts;
  readonly warning?: Failure;
}
