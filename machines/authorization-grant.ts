/** Redirect target → client → request → the user → callback → code exchange. Only whoever holds the flow's lease is here. */
import { assign } from 'xstate';
import { chart, failing, identity, promised, rejection, scopeSources } from './chart-setup.ts';
import { awaitingClient, discardingClient, doubtingClient, findingClient, registering } from './registration.ts';

/** The callback may come at any time once the user can see the page. */
const whenCalledBack = { guard: 'isThisAttempt', target: 'checkingCallback' } as const;

/**
 * What can go wrong once the user has approved, and is worth one more attempt. Whose turn that is, is asked anew: the lease may
 * have run out while the code was on its way, and another may have the login by now.
 */
const startOver = [
  {
    guard: { type: 'isCodeRejected', params: rejection },
    target: '#joining',
    actions: ['countAuthorization', { type: 'keepWarning', params: rejection }, 'forgetFollowed'],
  },
  {
    guard: { type: 'canRegisterAgain', params: rejection },
    target: 'discardingClient',
    actions: ['countRegistration', { type: 'keepWarning', params: rejection }],
  },
  {
    guard: { type: 'isMetadataStale', params: rejection },
    target: '#discovering',
    actions: [{ type: 'planFreshDiscovery', params: rejection }, 'forgetFollowed'],
  },
] as const;

export const loggingIn = chart.createStateConfig({
  id: 'loggingIn',
  description: 'Obtains an authorization grant from the user.',
  meta: { rule: 'AUT-08' },
  initial: 'openingRedirect',
  exit: ['closeRedirect', 'releaseFlowTurn'],
  invoke: {
    src: 'keepFlowTurn',
    input: ({ context }) => identity(context),
    onDone: {
      // A code that was sent is answered here and nowhere else.
      guard: 'canLetGo',
      target: '#joining',
      actions: { type: 'followSuccessor', params: ({ event }) => event.output },
    },
    onError: { target: '#failing', actions: { type: 'keepFailure', params: rejection } },
  },
  states: {
    openingRedirect: {
      description: 'Makes the redirect target ready, before anyone is sent away.',
      tags: ['working'],
      meta: { rule: 'AUT-04' },
      invoke: {
        src: 'openRedirect',
        input: ({ context }) => ({
          ...identity(context),
          issuer: promised(context.authorizationServer, 'authorization server').issuer,
          onlyRedirectUri: undefined,
        }),
        onDone: { target: 'findingClient', actions: assign(({ event }) => ({ redirectUri: event.output.redirectUri })) },
        onError: failing,
      },
    },
    findingClient,
    registering,
    awaitingClient,
    discardingClient,
    doubtingClient,
    preparingRequest: {
      description: 'Makes a fresh verifier and state, selects the scopes and records the expected issuer.',
      tags: ['working'],
      meta: { rule: 'AUT-01' },
      invoke: {
        src: 'prepareAuthorization',
        input: ({ context }) => ({
          ...identity(context),
          ...scopeSources(context),
          client: promised(context.client, 'client'),
        }),
        onDone: { target: 'recordingRequest', actions: assign(({ event }) => ({ grant: event.output.grant })) },
        onError: failing,
      },
    },
    recordingRequest: {
      description: 'Stores the attempt before anyone can see its page.',
      tags: ['working'],
      meta: { rule: 'ISS-08' },
      invoke: {
        src: 'recordAttempt',
        input: ({ context }) => ({ attemptId: promised(context.grant, 'grant').attemptId }),
        onDone: 'presentingRequest',
        onError: failing,
      },
    },
    presentingRequest: {
      description: 'Sends the user to the authorization server.',
      tags: ['working', 'waitingForUser'],
      meta: { rule: 'SEC-06' },
      on: { 'callback.received': whenCalledBack },
      invoke: {
        src: 'presentAuthorization',
        input: ({ context: { grant, followed } }) => ({
          grant: promised(grant, 'grant'),
          isShown: followed?.grant !== undefined && followed.grant.attemptId === grant?.attemptId,
        }),
        onDone: 'awaitingUser',
        // The URL stays in the status, and the redirect target listens: a person can open it by hand.
        onError: { target: 'awaitingUser', actions: { type: 'keepWarning', params: rejection } },
      },
    },
    awaitingUser: {
      description: 'Waits for the user to approve.',
      tags: ['waitingForUser'],
      meta: { rule: 'AUT-07' },
      on: { 'callback.received': whenCalledBack },
      invoke: {
        src: 'awaitCallback',
        input: ({ context }) => ({ grant: promised(context.grant, 'grant') }),
        onDone: [
          {
            guard: { type: 'isOutcome', params: ({ event }) => ({ outcome: event.output.outcome, is: 'arrived' }) },
            target: 'checkingCallback',
          },
          { guard: 'mayBeUnknownClient', target: 'doubtingClient' },
          { target: '#failing', actions: 'endUnanswered' },
        ],
        onError: failing,
      },
    },
    reopeningRedirect: {
      id: 'reopeningRedirect',
      description: 'Listens again where the browser of the restored attempt will come back to.',
      tags: ['working'],
      meta: { rule: 'RES-07' },
      on: { 'callback.received': whenCalledBack },
      invoke: {
        src: 'openRedirect',
        input: ({ context }) => {
          const { issuer, redirectUri } = promised(context.grant, 'grant');
          return { ...identity(context), issuer, onlyRedirectUri: redirectUri };
        },
        onDone: 'presentingRequest',
        onError: { target: 'openingRedirect', actions: { type: 'keepWarning', params: rejection } },
      },
    },
    checkingCallback: {
      id: 'checkingCallback',
      description: 'Checks who issued the callback, then what it says.',
      tags: ['working'],
      meta: { rule: 'ISS-08' },
      invoke: {
        src: 'checkCallback',
        input: ({ context }) => ({
          grant: promised(context.grant, 'grant'),
          authorizationServer: promised(context.authorizationServer, 'authorization server'),
          client: promised(context.client, 'client'),
        }),
        onDone: 'exchangingCode',
        onError: failing,
      },
    },
    exchangingCode: {
      id: 'exchangingCode',
      description: 'Sends the code, once, to the token endpoint of the recorded issuer.',
      tags: ['working', 'unsafeToRepeat'],
      meta: { rule: 'AUT-09' },
      exit: 'giveUpExchange',
      invoke: {
        src: 'exchangeCode',
        input: ({ context }) => ({
          ...identity(context),
          grant: promised(context.grant, 'grant'),
          authorizationServer: promised(context.authorizationServer, 'authorization server'),
          client: promised(context.client, 'client'),
        }),
        onDone: [
          {
            guard: { type: 'lacksChallengedScopes', params: ({ event }) => ({ granted: event.output.token.scopes }) },
            target: '#failing',
            actions: { type: 'keepNarrowToken', params: ({ event }) => event.output },
          },
          { target: '#authorized', actions: { type: 'keepToken', params: ({ event }) => event.output } },
        ],
        onError: [...startOver, failing],
      },
    },
  },
});
