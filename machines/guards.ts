/** Every question the chart asks of its context and of what its actors found. Pure: is, has, can. */
import type { Failure } from '../src/failure.ts';
import { missingScopes } from '../src/protocol/scopes.ts';
import { failureFrom, namesServers } from './context-updates.ts';
import type { AuthorizationContext, AuthorizationEvent, AuthorizationServer, LoginPlace, ResumePlace } from './contracts.ts';

interface Asked {
  readonly context: AuthorizationContext;
  readonly event: AuthorizationEvent;
}

const MAX_REPEATED_AUTHORIZATIONS = 1;
const MAX_REPEATED_REGISTRATIONS = 1;

/** A challenge to a token that has been replaced since starts nothing (FET-06). */
export const isCurrentChallenge = ({ context, event }: Asked): boolean =>
  event.type === 'challenge.received' && (context.token === undefined || event.challenge.tokenVersion === context.token.version);

export const wantsStepUp = ({ event }: Asked): boolean =>
  event.type === 'challenge.received' && event.challenge.reason === 'insufficient-scope';

/** Refresh before use; nothing has to be discovered for that (RFR-01, FET-09). */
export const wantsRefresh = (asked: Asked): boolean =>
  isCurrentChallenge(asked) &&
  asked.event.type === 'challenge.received' &&
  asked.event.challenge.reason === 'expiring' &&
  asked.context.token?.refreshable === true;

export const isThisAttempt = ({ context, event }: Asked): boolean =>
  event.type === 'callback.received' && event.attemptId === context.grant?.attemptId;

export const isCancelledEverywhere = ({ event }: Asked): boolean => event.type === 'authorization.cancel' && event.everywhere === true;

type Place = ResumePlace | LoginPlace;

export const resumesAt = (_: unknown, params: { place: Place | undefined; at: Place }): boolean => params.place === params.at;

export const isOutcome = (_: unknown, params: { outcome: string; is: string }): boolean => params.outcome === params.is;

export const hasNextResourceUrl = ({ context: { discovery } }: Asked): boolean =>
  discovery !== undefined && discovery.resourceIndex + 1 < discovery.resourceUrls.length;

export const hasNextServerUrl = ({ context: { discovery } }: Asked): boolean =>
  discovery !== undefined && discovery.urlIndex + 1 < (discovery.issuers[discovery.issuerIndex]?.urls.length ?? 0);

export const hasNextIssuer = ({ context: { discovery } }: Asked): boolean =>
  discovery !== undefined && discovery.issuerIndex + 1 < discovery.issuers.length;

/** No protected resource metadata, or one that names no authorization server (PRM-05). */
export const isLegacy = ({ context: { discovery } }: Asked): boolean =>
  discovery !== undefined && !namesServers(discovery.resourceMetadata);

export const canTryAgain = ({ context }: Asked, params: { error: unknown }): boolean => {
  const { retryable, phase } = failureFrom(params.error);
  return retryable && phase !== 'storage' && context.repeats.tries + 1 < context.requestTries;
};

/** Another process has obtained a token since the challenged one; an explicit wish for scopes has to be covered, too. */
export const isRenewed = ({ context }: Asked, params: { isRenewed: boolean; scopes: readonly string[] }): boolean =>
  params.isRenewed &&
  context.challenge?.reason !== 'insufficient-scope' &&
  missingScopes(context.challenge?.scopes, params.scopes).length === 0;

/** Nobody is asked on behalf of a request that has not been sent yet: its answer decides (RFR-01). */
export const cannotBeRefreshed = ({ context }: Asked): boolean => context.challenge?.reason === 'expiring' && context.token !== undefined;

/** The refresh token is worth trying: not for more scopes, and not twice in one flow (RFR-01). */
export const canRefresh = ({ context }: Asked, params: { canRefresh: boolean; scopes: readonly string[] }): boolean =>
  params.canRefresh &&
  !context.repeats.refreshed &&
  context.challenge?.neverAccepted !== true &&
  context.challenge?.reason !== 'insufficient-scope' &&
  missingScopes(context.challenge?.scopes, params.scopes).length === 0;

const isCode = (params: { error: unknown }, code: Failure['code']): boolean => failureFrom(params.error).code === code;

export const isCodeRejected = ({ context }: Asked, params: { error: unknown }): boolean =>
  isCode(params, 'code_rejected') && context.repeats.authorizations < MAX_REPEATED_AUTHORIZATIONS;

/** Only what a server registered for us is ever dropped; pre-registered credentials never (REG-06). */
export const canRegisterAgain = ({ context }: Asked, params: { error: unknown }): boolean =>
  isCode(params, 'client_rejected') &&
  context.repeats.registrations < MAX_REPEATED_REGISTRATIONS &&
  (context.client?.source === 'dynamic' || context.client?.source === 'stored');

/**
 * Servers drop registrations that are not used for a while, and tell only the user
 * so, on a page that leads nowhere. A credential that needs the registration comes first.
 */
export const mayBeUnknownClient = ({ context }: Asked): boolean => context.client?.source === 'stored' && context.token === undefined;

export const isRedirectUriRefused = ({ context }: Asked, params: { error: unknown }): boolean =>
  failureFrom(params.error).details.redirectUriRefused === true && context.repeats.otherApplicationType !== true;

export const isMetadataStale = ({ context }: Asked, params: { error: unknown }): boolean =>
  failureFrom(params.error).details.metadataMayBeStale === true && context.discovery?.staleBecause === undefined;

/** The metadata was read anew because of a failure, and is what it was: the user is not asked again in vain (ASM-07). */
export const isMetadataUnchanged = ({ context }: Asked, params: { authorizationServer: AuthorizationServer }): boolean =>
  context.discovery?.staleBecause !== undefined &&
  JSON.stringify(context.authorizationServer?.metadata) === JSON.stringify(params.authorizationServer.metadata);

export const isRefreshOrClientRejected = (_: unknown, params: { error: unknown }): boolean =>
  isCode(params, 'refresh_rejected') || isCode(params, 'client_rejected');

export const wasClientRejected = ({ context }: Asked): boolean => context.warning?.code === 'client_rejected';

export const isDiscarded = (_: unknown, params: { discarded: boolean }): boolean => params.discarded;

/** Before a request only: a token that the resource has rejected is of no use, however long it was to last. */
const leavesTokenUsable = (context: AuthorizationContext, failure: Failure | undefined): boolean =>
  failure?.details.tokenStillUsable === true && context.challenge?.reason !== 'unauthorized';

export const isTokenStillUsable = ({ context }: Asked, params: { error: unknown }): boolean =>
  leavesTokenUsable(context, failureFrom(params.error));

export const canGoOnWithToken = ({ context }: Asked): boolean => leavesTokenUsable(context, context.warning);

/** The resource itself asked: the user may be asked. Before a request, its answer decides. */
export const isChallenged = ({ context }: Asked): boolean =>
  context.challenge?.reason === 'unauthorized' && context.authorizationServer !== undefined;

export const lacksChallengedScopes = ({ context }: Asked, params: { granted: readonly string[] }): boolean =>
  context.stepUp !== undefined && missingScopes(context.stepUp.challenged, params.granted).length > 0;

export const isConfirmed = (_: unknown, params: { confirmed: boolean }): boolean => params.confirmed;

export const isRetryable = ({ context }: Asked): boolean => context.failure?.retryable === true;

/**
 * What the store holds is still unknown, and may be good: it has to be read again before anything takes its place. It
 * failed, or it is the vault's key that is wrong, or a newer version wrote it.
 */
export const isStoreUnread = (_: unknown, params: { error: unknown }): boolean => {
  const { code, details } = failureFrom(params.error);
  return UNREAD.has(code) || details.isNewer === true;
};

const UNREAD: ReadonlySet<Failure['code']> = new Set<Failure['code']>([
  'store_failed',
  'vault_key_unknown',
  'vault_key_wrong',
  'keychain_unavailable',
  'keychain_not_installed',
]);
