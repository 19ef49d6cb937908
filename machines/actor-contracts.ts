/** What the chart asks of each of its actors, and what it is answered: plain JSON, free of secrets. */
import type { ChallengeFacts, Looked, Probe, ResourceMetadata, ServerMetadata } from '../src/protocol/documents.ts';
import type {
  AuthorizationContext,
  AuthorizationServer,
  Challenge,
  ClientFacts,
  FlowTurn,
  Followed,
  Grant,
  IssuerCandidate,
  Obtained,
  PastStepUp,
  RestoredFlow,
  StepUp,
  TokenFacts,
} from './contracts.ts';

type Identity = Pick<AuthorizationContext, 'resource' | 'account'>;
/** What the selection of scopes looks at (SCO-01). */
export interface ScopeSources {
  readonly challenge?: Challenge | undefined;
  readonly stepUp?: StepUp | undefined;
  readonly authorizationServer: AuthorizationServer;
}

/** What a login is wanted for: another's may serve as well. */
export interface Wanted {
  readonly challenge: Challenge | undefined;
  readonly stepUp: StepUp | undefined;
  readonly authorizationServer: AuthorizationServer | undefined;
  /** The token that is not enough, if there is one. */
  readonly token: TokenFacts | undefined;
}

/** Input and output of every actor. A rejection is always a `Failure`, as plain data. */
export interface ActorContracts {
  restoreFlow: { input: Identity; output: RestoredFlow };
  askResource: { input: Identity; output: { readonly facts?: ChallengeFacts; readonly probe: Probe } };
  lookForResourceMetadata: { input: { url: string; resource: string }; output: Looked<ResourceMetadata> };
  orderAuthorizationServers: {
    input: Identity & { resourceMetadata: ResourceMetadata | undefined };
    /** `refused`: what the resource names and what cannot be an issuer identifier. */
    output: { readonly issuers: readonly IssuerCandidate[]; readonly refused?: readonly Probe[] };
  };
  lookForServerMetadata: {
    input: {
      url: string;
      issuer: string;
      ignoreCache: boolean;
      /** Nobody has named this issuer: it is the origin of a resource without metadata (PRM-05). */
      assumed: boolean;
    };
    output: Looked<ServerMetadata>;
  };
  bindIssuer: {
    input: Identity & {
      issuer: string;
      metadata: ServerMetadata | undefined;
      fromCache: boolean;
      resourceMetadata: ResourceMetadata | undefined;
      /** Where it was found. */
      resourceMetadataUrl: string | undefined;
      /** What was challenged, if anything was. */
      token: TokenFacts | undefined;
    };
    output: {
      readonly authorizationServer: AuthorizationServer;
      readonly token?: TokenFacts;
      /** The token is another than the challenged one, and good: another process has obtained it meanwhile. */
      readonly isRenewed: boolean;
      /** A refresh token and the client it was issued to are at hand (RFR-01). */
      readonly canRefresh: boolean;
    };
  };
  takeFlowTurn: { input: Identity & Wanted & { followed: Followed | undefined }; output: FlowTurn };
  /** Resolves when something is different from what was followed. */
  followFlow: { input: Identity & Wanted & { followed: Followed }; output: FlowTurn };
  /** Resolves when another has taken the flow over, or has ended it; `recordVersion` is what was last stored here. */
  keepFlowTurn: { input: Identity; output: { readonly recordVersion: string | null } };
  openRedirect: {
    input: Identity & { issuer: string; onlyRedirectUri: string | undefined };
    output: { readonly redirectUri: string };
  };
  findClient: {
    input: Identity & ScopeSources & { redirectUri: string };
    output: { readonly outcome: 'found'; readonly client: ClientFacts } | { readonly outcome: 'register' | 'ask' };
  };
  registerClient: {
    input: Identity & ScopeSources & { redirectUri: string; otherApplicationType: boolean };
    output: { readonly client: ClientFacts };
  };
  /** `discarded`: nothing presents this client any more; false where only a person can replace it. */
  discardClient: { input: { issuer: string; clientId: string }; output: { readonly discarded: boolean } };
  prepareAuthorization: {
    input: Identity & ScopeSources & { client: ClientFacts };
    output: { readonly grant: Grant };
  };
  /** Nothing but the write-ahead every effect begins with: resolves once the attempt is in the store. */
  recordAttempt: { input: { attemptId: string }; output: unknown };
  /** `isShown`: another process has brought the user there already. */
  presentAuthorization: { input: { grant: Grant; isShown: boolean }; output: unknown };
  /** The callback may come to any process that shares the store (RES-06). */
  awaitCallback: { input: { grant: Grant }; output: { readonly outcome: 'arrived' | 'unanswered' } };
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
    /** The token as it is in the store now. */
    output: { readonly outcome: 'adopted' | 'mine'; readonly token: TokenFacts };
  };
  requestRefresh: {
    input: Identity & { token: TokenFacts; authorizationServer: AuthorizationServer | undefined };
    output: Obtained;
  };
  lookForRotatedToken: {
    input: Identity & { token: TokenFacts };
    output: { readonly outcome: 'adopted'; readonly token: TokenFacts } | { readonly outcome: 'ended' };
  };
  forgetCredential: { input: { token: TokenFacts }; output: unknown };
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
