/**
 * Every kind of outcome that each actor of the chart can have, one of each: what
 * the model tests feed the chart with in place of servers, stores and users.
 */
import type { ActorContracts, ActorName } from '../../machines/actor-contracts.ts';
import type { AuthorizationServer, ClientFacts, FlowTurn, Grant, RestoredFlow, StepUp, TokenFacts } from '../../machines/contracts.ts';
import { type Failure, failure } from '../../src/failure.ts';
import type { ClientSource, Probe, ServerMetadata } from '../../src/protocol/documents.ts';

export const RESOURCE = 'https://mcp.example.com/mcp';
const ISSUER = 'https://login.example.com';
const REDIRECT_URI = 'http://127.0.0.1:7777/callback';

export const TOKEN: TokenFacts = {
  issuer: ISSUER,
  clientId: 'client',
  scopes: ['read'],
  requestedScopes: ['read'],
  tokenType: 'Bearer',
  refreshable: true,
  obtainedAtEpochSeconds: 1,
  version: 'v1',
};

const METADATA: ServerMetadata = { issuer: ISSUER, authorization_endpoint: `${ISSUER}/authorize`, token_endpoint: `${ISSUER}/token` };
const SERVER: AuthorizationServer = {
  issuer: ISSUER,
  metadata: METADATA,
  hasResourceMetadata: true,
  defaultEndpoints: false,
  fromCache: false,
};
const client = (source: ClientSource): ClientFacts => ({ clientId: 'client', source, authMethod: 'none', redirectUri: REDIRECT_URI });
export const GRANT: Grant = {
  attemptId: 'attempt',
  authorizationUrl: `${ISSUER}/authorize?state=s`,
  redirectUri: REDIRECT_URI,
  issuer: ISSUER,
  requestedScopes: ['read'],
  deadlineEpochMs: 2_000,
};
const STEP_UP: StepUp = { operation: 'POST /mcp', challenged: ['write'], requested: ['read', 'write'], missing: ['write'] };
const probe = (document: Probe['document']): Probe => ({ document, url: RESOURCE, durationMs: 1, verdict: 'found' });

const outage = failure('server_unavailable', 'token', { status: 503 });
const storeFailed = failure('store_failed', 'storage');
const refused = failure('url_refused', 'server-metadata');
const stale = failure('token_request_rejected', 'token', { metadataMayBeStale: true });

const restored = (place: RestoredFlow['place'], context: RestoredFlow['context']): RestoredFlow => ({ place, context });
const waiting = { authorizationServer: SERVER, client: client('stored'), grant: GRANT, redirectUri: REDIRECT_URI };
const RESTORED_WITH: Record<RestoredFlow['place'], RestoredFlow['context']> = {
  authorized: { token: TOKEN },
  unauthorized: {},
  discovering: { challenge: { reason: 'unauthorized' } },
  joining: waiting,
};

const TURNS: readonly FlowTurn[] = [
  { outcome: 'begin' },
  { outcome: 'resume', place: 'reopeningRedirect', login: waiting },
  { outcome: 'resume', place: 'checkingCallback', login: waiting },
  { outcome: 'follow', followed: { recordVersion: null } },
  { outcome: 'follow', followed: { recordVersion: 'r1', grant: GRANT } },
  { outcome: 'adopted', token: TOKEN },
  { outcome: 'ended', failure: failure('authorization_denied', 'authorization') },
];

type Outputs = { [Name in ActorName]: readonly ActorContracts[Name]['output'][] };

/** What each actor may resolve with. */
export const OUTPUTS: Outputs = {
  restoreFlow: (Object.keys(RESTORED_WITH) as RestoredFlow['place'][]).map((place) => restored(place, RESTORED_WITH[place])),
  askResource: [{ probe: probe('resource') }, { probe: probe('resource'), facts: { scheme: 'Bearer', scopes: ['read'] } }],
  lookForResourceMetadata: [
    { outcome: 'absent', probe: probe('resource-metadata') },
    { outcome: 'found', document: { resource: RESOURCE, authorization_servers: [ISSUER] }, probe: probe('resource-metadata') },
    { outcome: 'found', document: { resource: RESOURCE, authorization_servers: [] }, probe: probe('resource-metadata') },
  ],
  orderAuthorizationServers: [
    {
      issuers: [
        { issuer: ISSUER, urls: [`${ISSUER}/1`, `${ISSUER}/2`] },
        { issuer: `${ISSUER}/two`, urls: [`${ISSUER}/two/1`] },
      ],
    },
  ],
  lookForServerMetadata: [
    { outcome: 'absent', probe: probe('server-metadata') },
    { outcome: 'found', document: METADATA, probe: probe('server-metadata') },
  ],
  bindIssuer: [
    { authorizationServer: SERVER, isRenewed: false, canRefresh: false },
    { authorizationServer: SERVER, isRenewed: false, canRefresh: true, token: TOKEN },
    { authorizationServer: SERVER, isRenewed: true, canRefresh: true, token: TOKEN },
  ],
  takeFlowTurn: TURNS,
  followFlow: TURNS,
  keepFlowTurn: [{ recordVersion: 'r1' }],
  openRedirect: [{ redirectUri: REDIRECT_URI }],
  findClient: [
    { outcome: 'found', client: client('preregistered') },
    { outcome: 'found', client: client('stored') },
    { outcome: 'register' },
    { outcome: 'ask' },
  ],
  registerClient: [{ client: client('dynamic') }],
  discardClient: [{ discarded: true }, { discarded: false }],
  prepareAuthorization: [{ grant: GRANT }],
  recordAttempt: [undefined],
  presentAuthorization: [undefined],
  awaitCallback: [{ outcome: 'arrived' }, { outcome: 'unanswered' }],
  checkCallback: [undefined],
  exchangeCode: [{ token: TOKEN }, { token: { ...TOKEN, scopes: ['read', 'write'] } }],
  takeRefreshTurn: [
    { outcome: 'mine', token: TOKEN },
    { outcome: 'adopted', token: TOKEN },
  ],
  requestRefresh: [{ token: TOKEN }],
  lookForRotatedToken: [{ outcome: 'ended' }, { outcome: 'adopted', token: TOKEN }],
  forgetCredential: [undefined],
  pauseBeforeRetry: [undefined],
  weighStepUp: [
    { outcome: 'covered', token: TOKEN },
    { outcome: 'needed', stepUp: STEP_UP },
  ],
  confirmStepUp: [{ confirmed: true }, { confirmed: false }],
  signOut: [undefined],
};

/** What each actor may reject with, beyond `ANY_FAILURE`. */
const FAILURES: { readonly [Name in ActorName]?: readonly Failure[] } = {
  restoreFlow: [failure('record_unreadable', 'storage')],
  lookForResourceMetadata: [outage],
  lookForServerMetadata: [outage],
  registerClient: [failure('registration_rejected', 'registration', { redirectUriRefused: true }), stale],
  exchangeCode: [failure('code_rejected', 'token'), failure('client_rejected', 'token'), stale],
  requestRefresh: [
    failure('refresh_rejected', 'refresh'),
    failure('client_rejected', 'refresh'),
    failure('client_rejected', 'refresh', { tokenStillUsable: true }),
    failure('server_unavailable', 'refresh', { tokenStillUsable: true }),
    stale,
  ],
};

/** One that ends a flow for good, one that may pass. */
const ANY_FAILURE: readonly Failure[] = [refused, storeFailed];

export const failuresOf = (name: ActorName): readonly Failure[] => [...ANY_FAILURE, ...(FAILURES[name] ?? [])];
