/** Turn → look again → refresh → adopt: one refresh at a time, and no credential lost to a bad day of a server. */
import { assign } from 'xstate';
import { chart, failing, identity, promised, rejection } from './chart-setup.ts';
import type { TokenFacts } from './contracts.ts';

const adopted = {
  type: 'isOutcome',
  params: ({ event }: { event: { output: { outcome: string } } }) => ({ outcome: event.output.outcome, is: 'adopted' }),
} as const;

/** The token another process or tab has stored meanwhile (RFR-04, RFR-05). */
const adopt = {
  type: 'adoptToken',
  params: ({ event }: { event: { output: { outcome: string; token?: TokenFacts } } }) => ({ token: event.output.token }),
} as const;

export const refreshing = chart.createStateConfig({
  id: 'refreshing',
  description: 'Renews the access token without the user.',
  meta: { rule: 'RFR-01' },
  initial: 'takingTurn',
  entry: 'countRefresh',
  exit: 'releaseRefreshTurn',
  states: {
    takingTurn: {
      description: 'Waits until no other process refreshes this credential, then looks whether one has.',
      tags: ['working'],
      meta: { rule: 'RFR-05' },
      invoke: {
        src: 'takeRefreshTurn',
        input: ({ context }) => ({ ...identity(context), token: promised(context.token, 'token') }),
        onDone: [
          { guard: adopted, target: '#authorized', actions: adopt },
          { target: 'requestingRefresh', actions: assign(({ event }) => ({ token: event.output.token })) },
        ],
        onError: failing,
      },
    },
    requestingRefresh: {
      description: 'Presents the refresh token to the issuer it came from.',
      tags: ['working', 'unsafeToRepeat'],
      meta: { rule: 'RFR-02' },
      invoke: {
        src: 'requestRefresh',
        input: ({ context }) => ({
          ...identity(context),
          token: promised(context.token, 'token'),
          authorizationServer: context.authorizationServer,
        }),
        onDone: { target: '#authorized', actions: { type: 'keepToken', params: ({ event }) => event.output } },
        onError: [
          {
            guard: { type: 'isRefreshOrClientRejected', params: rejection },
            target: 'lookingForRotatedToken',
            actions: { type: 'keepWarning', params: rejection },
          },
          {
            guard: { type: 'canTryAgain', params: rejection },
            target: 'pausing',
            actions: ['countTry', { type: 'keepWarning', params: rejection }],
          },
          {
            guard: { type: 'isMetadataStale', params: rejection },
            target: '#discovering',
            actions: ['allowRefreshAgain', { type: 'planFreshDiscovery', params: rejection }],
          },
          {
            // The skew left some time: the old token serves until it ends.
            guard: { type: 'isTokenStillUsable', params: rejection },
            target: '#authorized',
            actions: [{ type: 'keepWarning', params: rejection }, 'forgetFlow'],
          },
          failing,
        ],
      },
    },
    pausing: {
      description: 'Waits a moment before asking the token endpoint again.',
      tags: ['working'],
      meta: { rule: 'RFR-03' },
      invoke: {
        src: 'pauseBeforeRetry',
        input: ({ context }) => ({ tries: context.repeats.tries, retryAfterSeconds: context.warning?.details.retryAfterSeconds }),
        // The turn may have been lost meanwhile.
        onDone: { target: 'takingTurn', actions: assign({ warning: undefined }) },
        onError: failing,
      },
    },
    lookingForRotatedToken: {
      description: 'Looks whether another process has rotated the refresh token; only if none has, it is at its end.',
      tags: ['working'],
      meta: { rule: 'RFR-04' },
      invoke: {
        src: 'lookForRotatedToken',
        input: ({ context }) => ({ ...identity(context), token: promised(context.token, 'token') }),
        onDone: [
          { guard: adopted, target: '#authorized', actions: adopt },
          { guard: 'wasClientRejected', target: 'discardingClient' },
          { target: 'forgettingCredential' },
        ],
        onError: failing,
      },
    },
    discardingClient: {
      description: 'Drops a dynamic registration that the authorization server no longer accepts; any other stays, and its tokens with it.',
      tags: ['working'],
      meta: { rule: 'REG-06' },
      invoke: {
        src: 'discardClient',
        input: ({ context }) => {
          const { issuer, clientId } = promised(context.token, 'token');
          return { issuer, clientId };
        },
        onDone: [
          {
            guard: { type: 'isDiscarded', params: ({ event }) => event.output },
            target: 'forgettingCredential',
            actions: 'countRegistration',
          },
          { guard: 'canGoOnWithToken', target: '#authorized', actions: 'forgetFlow' },
          { target: '#failing', actions: 'failAsWarned' },
        ],
        onError: failing,
      },
    },
    forgettingCredential: {
      id: 'forgettingCredential',
      description: 'Forgets a refresh token that is at its end.',
      tags: ['working'],
      meta: { rule: 'RFR-03' },
      invoke: {
        src: 'forgetCredential',
        input: ({ context }) => ({ token: promised(context.token, 'token') }),
        onDone: [
          { guard: 'isChallenged', target: '#joining', actions: 'forgetToken' },
          // Before a request: it is sent without a token, and the resource's answer decides.
          { target: '#unauthorized', actions: ['forgetToken', 'forgetFlow', 'forgetOutcome'] },
        ],
        onError: failing,
      },
    },
  },
});
