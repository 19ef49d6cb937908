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
  Looked,
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
  readonly ignoreCache: boolean;
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

/** How often something was done over again in the flow under way; each has a bound in the chart. */
export interface Repeats {
  /** Tries of the request under way. */
  readonly tries: number;
  readonly registrations: number;
  readonly authorizations: number;
  readonly refreshed: boolean;
  readonly applicationType?: 'native' | 'web';
}

export interface AuthorizationContext {
  readonly resource: string;
  readonly account: string;
  /** Well-known places of the resource's metadata, in order (PRM-01). */
  readonly wellKnownUrls: readonly string[];
  readonly requestTries: number;
  /** The store has been read: no credential that is there can be overlooked. */
  readonly restored: boolean;
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
  | { readonly type: 'authorization.cancel' }
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
  | 'expired'
  | 'unauthorized'
  | 'discovering'
  | 'loggingIn'
  | 'reopeningRedirect'
  | 'checkingCallback'
  | 'exchangingCode';

export interface RestoredFlow {
  readonly place: ResumePlace;
  /** The groups of the stored context that the place needs. */
  readonly context: Pick<
    AuthorizationContext,
    'challenge' | 'authorizationServer' | 'redirectUri' | 'client' | 'grant' | 'token' | 'stepUp'
  > & { readonly pastStepUps?: readonly PastStepUp[] };
}

/** Tokens were obtained; `warning` if they could not be stored (RFR-07). */
export interface Obtained {
  readonly token: TokenFacts;
  readonly warning?: Failure;
}

type Identity = Pick<AuthorizationContext, 'resource' | 'account'>;
/** What the selection of scopes looks at (SCO-01). */
export interface ScopeSources {
  readonly challenge?: Challenge | undefined;
  readonly stepUp?: StepUp | undefined;
  readonly authorizationServer: AuthorizationServer;
}

/** Input and output of every actor. A rejection is always a `Failure`, as plain data. */
export interface ActorContracts {
  restoreFlow: { input: Identity; output: RestoredFlow };
  askResource: { input: Identity; output: { readonly facts?: ChallengeFacts; readonly probe: Probe } };
  lookForResourceMetadata: { input: { url: string; resource: string }; output: Looked<ResourceMetadata> };
  orderAuthorizationServers: {
    input: Identity & { resourceMetadata: ResourceMetadata | undefined };
    output: { readonly issuers: readonly IssuerCandidate[] };
  };
  lookForServerMetadata: {
    input: { url: string; issuer: string; ignoreCache: boolean };
    output: Looked<ServerMetadata>;
  };
  bindIssuer: {
    input: Identity & {
      issuer: string;
      metadata: ServerMetadata | undefined;
      fromCache: boolean;
      resourceMetadata: ResourceMetadata | undefined;
    };
    output: {
      readonly authorizationServer: AuthorizationServer;
      readonly token?: TokenFacts;
      /** A refresh token and the client it was issued to are at hand (RFR-01). */
      readonly canRefresh: boolean;
    };
  };
  openRedirect: {
    input: Identity & { issuer: string; attemptId: string | undefined; onlyRedirectUri: string | undefined };
    output: { readonly redirectUri: string };
  };
  findClient: {
    input: Identity & { authorizationServer: AuthorizationServer; redirectUri: string };
    output: { readonly outcome: 'found'; readonly client: ClientFacts } | { readonly outcome: 'register' | 'ask' };
  };
  registerClient: {
    input: Identity & ScopeSources & { redirectUri: string; applicationType: 'native' | 'web' | undefined };
    output: { readonly client: ClientFacts };
  };
  discardClient: { input: { issuer: string; clientId: string }; output: unknown };
  prepareAuthorization: {
    input: Identity & ScopeSources & { client: ClientFacts; token: TokenFacts | undefined };
    output: { readonly grant: Grant };
  };
  presentAuthorization: { input: { grant: Grant }; output: unknown };
  awaitDeadline: { input: { deadlineEpochMs: number }; output: unknown };
  checkCallback: {
    input: { grant: Grant; authorizationServer: AuthorizationServer; client: ClientFacts };
    output: unknown;
  };
  exchangeCode: {
    input: Identity & {
      grant: Grant;
      authorizationServer: AuthorizationServer;
      client: ClientFacts;
    };
    output: Obtained;
  };
  takeRefreshTurn: {
    input: Identity & { token: TokenFacts };
    output: { readonly outcome: 'adopted'; readonly token: TokenFacts } | { readonly outcome: 'mine' };
  };
  requestRefresh: {
    input: Identity & { token: TokenFacts; authorizationServer: AuthorizationServer | undefined };
    output: Obtained;
  };
  lookForRotatedToken: {
    input: Identity & { token: TokenFacts };
    output: { readonly outcome: 'adopted'; readonly token: TokenFacts } | { readonly outcome: 'ended' };
  };
  pauseBeforeRetry: { input: { tries: number; retryAfterSeconds: number | undefined }; output: unknown };
  weighStepUp: {
    input: Identity & {
      challenge: Challenge;
      token: TokenFacts | undefined;
      pastStepUps: readonly PastStepUp[];
    };
    output: { readonly outcome: 'covered'; readonly token: TokenFacts } | { readonly outcome: 'needed'; readonly stepUp: StepUp };
  };
  confirmStepUp: { input: { stepUp: StepUp }; output: { readonly confirmed: boolean } };
  signOut: { input: Identity & { issuer: string | undefined; forgetRegistration: boolean }; output: unknown };
}

export type ActorName = keyof ActorContracts;
