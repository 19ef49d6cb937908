/** The types, guards, updates and stub actors every part of the chart is written with. */
import { assign, not, setup, stateIn } from 'xstate';
import { failure } from '../src/failure.ts';
import type { ScopeSources } from './actor-contracts.ts';
import * as update from './context-updates.ts';
import type {
  AuthorizationContext,
  AuthorizationEvent,
  AuthorizationInput,
  Followed,
  Obtained,
  RestoredFlow,
  StateMeta,
  Tag,
  TokenFacts,
  UnfinishedLogin,
} from './contracts.ts';
import * as guards from './guards.ts';
import { stubActors } from './stub-actors.ts';

/** A code that was sent is answered where it was sent from. */
const canLetGo = not(stateIn('#exchangingCode'));
const allGuards: typeof guards & { readonly canLetGo: typeof canLetGo } = Object.assign({ canLetGo }, guards);

export const chart = setup({
  types: {} as {
    context: AuthorizationContext;
    events: AuthorizationEvent;
    input: AuthorizationInput;
    tags: Tag;
    meta: StateMeta;
  },
  actors: stubActors,
  guards: allGuards,
  actions: {
    /** Frees the redirect target of the attempt; the embedder's user agent does it. */
    closeRedirect: () => {},
    /** Ends the request a code was sent with: a flow that is cancelled wants no tokens. Of one that is answered nothing is left to end. */
    giveUpExchange: () => {},
    /** Lets others log in, once how this login ended is stored. */
    releaseFlowTurn: () => {},
    /** Tells whoever has the login under way that it is over. */
    endLoginElsewhere: () => {},
    /** Ends the lease on the credential, if it is held. */
    releaseRefreshTurn: () => {},
    begin: assign(({ context, event }) => {
      if (event.type === 'challenge.received') return update.begun(context, event.challenge);
      if (event.type !== 'authorization.begin') return {};
      return update.begun(context, { reason: 'unauthorized', ...(event.scopes && { scopes: event.scopes }) });
    }),
    planDiscovery: assign(({ context }) => update.discoveryPlanned(context)),
    planFreshDiscovery: assign(({ context }, params: { error: unknown }) =>
      update.discoveryPlanned(context, update.failureFrom(params.error)),
    ),
    /** Reading the metadata anew has not helped: what led to it is what went wrong. */
    keepFirstFailure: assign(({ context }) => ({ failure: context.discovery?.staleBecause })),
    skipToNextIssuer: assign(({ context }) => update.nextIssuer(context)),
    countAuthorization: assign(({ context }) => update.repeated(context, { authorizations: context.repeats.authorizations + 1 })),
    countRegistration: assign(({ context }) => update.repeated(context, { registrations: context.repeats.registrations + 1 })),
    countRefresh: assign(({ context }) => update.repeated(context, { refreshed: true })),
    allowRefreshAgain: assign(({ context }) => update.repeated(context, { refreshed: false })),
    /** The other of the two application types of OpenID Connect registration (REG-07). */
    adjustApplicationType: assign(({ context }) => update.repeated(context, { otherApplicationType: true })),
    countTry: assign(({ context }) => update.tried(context)),
    keepFailure: assign((_, params: { error: unknown }) => ({ failure: update.failureFrom(params.error) })),
    /** What went wrong stops the flow after all. */
    failAsWarned: assign(({ context }) => ({ failure: context.warning, warning: undefined })),
    keepWarning: assign((_, params: { error: unknown }) => ({ warning: update.failureFrom(params.error) })),
    keepToken: assign(({ context }, params: Obtained) => update.authorized(context, params)),
    /** The grant is kept, but it is not what the resource asked for (SCO-05). */
    keepNarrowToken: assign(({ context }, params: Obtained) => update.narrowlyAuthorized(context, params)),
    adoptToken: assign(({ context }, params: { token: TokenFacts | undefined }) =>
      update.adopted(params.token ?? promised(context.token, 'token')),
    ),
    resumeLogin: assign((_, params: { login: UnfinishedLogin }) => params.login),
    follow: assign((_, params: { followed: Followed }) => ({ followed: params.followed })),
    forgetFollowed: assign({ followed: undefined, grant: undefined }),
    /** Another's turn: what the user was shown is the same. */
    followSuccessor: assign(({ context }, params: { recordVersion: string | null }) => ({
      followed: { recordVersion: params.recordVersion, ...(context.grant && { grant: context.grant }) },
    })),
    adoptCheckpoint: assign((_, params: RestoredFlow) => update.restored(params.context)),
    countAsRestored: assign({ restored: true }),
    forgetOutcome: assign(() => update.outcomeForgotten()),
    forgetToken: assign({ token: undefined }),
    forgetFlow: assign({ followed: undefined, challenge: undefined, grant: undefined, stepUp: undefined, redirectUri: undefined }),
    cancelFlow: assign({ failure: failure('cancelled', 'authorization') }),
    endFlowBySignOut: assign({ failure: failure('signed_out', 'sign-out') }),
    endUnanswered: assign({ failure: failure('authorization_expired', 'authorization') }),
  },
});

/** An actor's rejection ends the flow with the failure it carries. */
export const failing = {
  target: '#failing',
  actions: { type: 'keepFailure', params: ({ event }: { event: { error: unknown } }) => ({ error: event.error }) },
} as const;

/** Params of the guards and actions that look at a rejection. */
export const rejection = ({ event }: { event: { error: unknown } }): { error: unknown } => ({ error: event.error });

/** The identity every actor that touches records is given. */
export const identity = (context: AuthorizationContext): { resource: string; account: string } => ({
  resource: context.resource,
  account: context.account,
});

/**
 * A group of the context that the chart's order of states promises. XState kills
 * the whole actor on a throw inside `input`, so this can only be a bug in the chart.
 */
export function promised<Group>(group: Group | undefined, name: string): Group {
  if (group === undefined) throw new Error(`the chart entered a state without its ${name}`);
  return group;
}

/** What the selection of scopes looks at (SCO-01). */
export const scopeSources = (context: AuthorizationContext): ScopeSources => ({
  challenge: context.challenge,
  stepUp: context.stepUp,
  authorizationServer: promised(context.authorizationServer, 'authorization server'),
});
