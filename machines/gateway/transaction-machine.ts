/**
 * One authorization through the gateway, from the request of a client to the code
 * it redeems (GWY-04): consent here, sign-in at the upstream identity provider, a
 * code of the gateway's own.
 *
 * Pure, like the chart of the client: no clock, no randomness, no input or output.
 * Every effect is an actor to provide; the ones here reject and say so.
 */
import { assign, fromPromise, type PromiseActorLogic, setup } from 'xstate';
import type {
  TransactionActorContracts,
  TransactionActorName,
  TransactionContext,
  TransactionEvent,
  TransactionFailure,
  TransactionInput,
  TransactionTag,
} from './transaction-contracts.ts';

export type TransactionActors = {
  [Name in TransactionActorName]: PromiseActorLogic<TransactionActorContracts[Name]['output'], TransactionActorContracts[Name]['input']>;
};

function stub<Name extends TransactionActorName>(name: Name): TransactionActors[Name] {
  const failure: TransactionFailure = { error: 'server_error', code: `provide ${name}: the chart does no input or output itself` };
  return fromPromise(() => Promise.reject(failure)) as unknown as TransactionActors[Name];
}

export const transactionStubs: TransactionActors = {
  openConsent: stub('openConsent'),
  prepareUpstream: stub('prepareUpstream'),
  exchangeUpstream: stub('exchangeUpstream'),
  endGrant: stub('endGrant'),
};

const chart = setup({
  types: {} as {
    context: TransactionContext;
    events: TransactionEvent;
    input: TransactionInput;
    tags: TransactionTag;
    meta: { readonly rule: string };
  },
  actors: transactionStubs,
  guards: {
    isRefusal: ({ event }) => event.type === 'callback.failed' && event.failure.error === 'access_denied',
  },
  actions: {
    keepFailure: assign((_, params: { error: unknown }) => ({ failure: failureFrom(params.error) })),
    keepRefusal: assign({ failure: { error: 'access_denied' } }),
  },
});

const failed = {
  target: 'failed',
  actions: { type: 'keepFailure', params: ({ event }: { event: { error: unknown } }) => ({ error: event.error }) },
} as const;

export const transactionMachine = chart.createMachine({
  id: 'transaction',
  description: 'A client of the gateway obtains a code, by consent given here and a sign-in upstream.',
  meta: { rule: 'GWY-04' },
  context: ({ input }) => ({ id: input.id, request: input.request, deadlineEpochMs: input.deadlineEpochMs }),
  initial: 'received',
  states: {
    received: {
      description: 'The request was found to be in order; binds it to the browser it came from.',
      tags: ['working'],
      meta: { rule: 'GWY-06' },
      invoke: {
        src: 'openConsent',
        input: ({ context }) => ({ id: context.id }),
        onDone: { target: 'awaitingConsent', actions: assign(({ event }) => event.output) },
        onError: failed,
      },
    },
    awaitingConsent: {
      description: 'The person reads which client asks for what, and decides.',
      tags: ['waitingForUser'],
      meta: { rule: 'GWY-06' },
      on: {
        'consent.given': 'sendingUpstream',
        'consent.refused': { target: 'denied', actions: 'keepRefusal' },
        'deadline.passed': 'expired',
      },
    },
    sendingUpstream: {
      description: 'Makes state, PKCE and nonce of its own for the upstream authorization server.',
      tags: ['working'],
      meta: { rule: 'GWY-07' },
      invoke: {
        src: 'prepareUpstream',
        input: ({ context }) => ({ id: context.id, request: context.request }),
        onDone: { target: 'sentUpstream', actions: assign(({ event }) => ({ ...event.output, formDigest: undefined })) },
        onError: failed,
      },
    },
    sentUpstream: {
      description: 'The person signs in at the upstream authorization server.',
      tags: ['waitingForUser'],
      meta: { rule: 'GWY-07' },
      on: {
        'callback.arrived': 'exchanging',
        'callback.failed': [
          {
            guard: 'isRefusal',
            target: 'denied',
            actions: assign(({ event }) => ({ failure: event.failure })),
          },
          { target: 'failed', actions: assign(({ event }) => ({ failure: event.failure })) },
        ],
        'deadline.passed': 'expired',
      },
    },
    exchanging: {
      description: 'Exchanges the upstream code, once, and keeps the tokens sealed.',
      tags: ['working', 'unsafeToRepeat'],
      meta: { rule: 'GWY-08' },
      invoke: {
        src: 'exchangeUpstream',
        input: ({ context }) => ({ id: context.id, request: context.request }),
        onDone: { target: 'codeIssued', actions: assign(({ event }) => ({ code: event.output.code, browserDigest: undefined })) },
        onError: failed,
      },
    },
    codeIssued: {
      description: 'The client holds a code of the gateway.',
      tags: ['waitingForClient'],
      meta: { rule: 'GWY-08' },
      on: { 'code.presented': 'redeemed', 'deadline.passed': 'lapsing' },
    },
    redeemed: {
      description: 'The client has its tokens. The code coming once more means that somebody else has it, too.',
      tags: ['terminal', 'granted'],
      meta: { rule: 'GWY-08' },
      on: { 'code.presented': 'revoking' },
    },
    lapsing: {
      description: 'Ends a grant whose code nobody came for in time.',
      tags: ['working'],
      meta: { rule: 'GWY-08' },
      invoke: {
        src: 'endGrant',
        input: ({ context }) => ({ grantId: context.code?.grantId ?? '' }),
        onDone: 'expired',
        onError: 'lapsePending',
      },
      // Its process died before the grant had ended.
      on: { 'code.presented': { target: 'lapsing', reenter: true }, 'deadline.passed': { target: 'lapsing', reenter: true } },
    },
    lapsePending: {
      description: 'Nobody came for the code in time, and its grant could not be ended yet.',
      tags: ['terminal', 'retryable'],
      meta: { rule: 'GWY-08' },
      on: { 'code.presented': 'lapsing', 'deadline.passed': 'lapsing' },
    },
    revoking: {
      description: 'Ends the grant of a code that was presented twice.',
      tags: ['working'],
      meta: { rule: 'GWY-08' },
      invoke: {
        src: 'endGrant',
        input: ({ context }) => ({ grantId: context.code?.grantId ?? '' }),
        onDone: 'replayed',
        onError: 'revocationPending',
      },
      // Its process died before the grant had ended.
      on: { 'code.presented': { target: 'revoking', reenter: true }, 'deadline.passed': { target: 'revoking', reenter: true } },
    },
    revocationPending: {
      description: 'The code was presented twice, and its grant could not be ended yet.',
      tags: ['terminal', 'retryable'],
      meta: { rule: 'GWY-08' },
      on: { 'code.presented': 'revoking', 'deadline.passed': 'revoking' },
    },
    replayed: {
      description: 'The code was presented twice; its grant has ended.',
      tags: ['terminal'],
      meta: { rule: 'GWY-08' },
    },
    denied: {
      description: 'The person refused, here or upstream.',
      tags: ['terminal'],
      meta: { rule: 'GWY-06' },
    },
    failed: {
      description: 'The upstream authorization server cannot be used, or its response cannot be believed.',
      tags: ['terminal'],
      meta: { rule: 'GWY-07' },
    },
    expired: {
      description: 'Nobody came back in time.',
      tags: ['terminal'],
      meta: { rule: 'GWY-04' },
    },
  },
});

export type TransactionMachine = typeof transactionMachine;

function failureFrom(error: unknown): TransactionFailure {
  const known = error as Partial<TransactionFailure> | undefined;
  return typeof known?.error === 'string' ? { error: known.error, code: known.code } : { error: 'server_error' };
}
