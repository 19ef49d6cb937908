/**
 * One login per account and resource, however many processes and tabs share the
 * store: whoever holds the lease asks the user, the others follow and adopt.
 */
import { chart, failing, identity, promised } from './chart-setup.ts';
import type { AuthorizationContext, FlowTurn, LoginPlace } from './contracts.ts';

interface Turned {
  readonly event: { readonly output: FlowTurn };
}

const is = <Outcome extends FlowTurn['outcome']>(outcome: Outcome) =>
  ({ type: 'isOutcome', params: ({ event }: Turned) => ({ outcome: event.output.outcome, is: outcome }) }) as const;

const resumesAt = (place: LoginPlace) =>
  ({
    type: 'resumesAt',
    params: ({ event }: Turned) => ({ place: event.output.outcome === 'resume' ? event.output.place : undefined, at: place }),
  }) as const;

const resumeLogin = {
  type: 'resumeLogin',
  params: ({ event }: Turned) => ({ login: event.output.outcome === 'resume' ? event.output.login : {} }),
} as const;

const adopt = {
  type: 'adoptToken',
  params: ({ event }: Turned) => ({ token: event.output.outcome === 'adopted' ? event.output.token : undefined }),
} as const;

const endAsTheOther = {
  type: 'keepFailure',
  params: ({ event }: Turned) => ({ error: event.output.outcome === 'ended' ? event.output.failure : undefined }),
} as const;

const follow = {
  type: 'follow',
  params: ({ event }: Turned) => ({ followed: event.output.outcome === 'follow' ? event.output.followed : { recordVersion: null } }),
} as const;

const onTurn = [
  { guard: is('adopted'), target: '#authorized', actions: adopt },
  { guard: is('ended'), target: '#failing', actions: endAsTheOther },
  { guard: is('follow'), target: 'following', reenter: true, actions: follow },
  { guard: resumesAt('checkingCallback'), target: '#checkingCallback', actions: resumeLogin },
  { guard: resumesAt('reopeningRedirect'), target: '#reopeningRedirect', actions: resumeLogin },
  { target: '#loggingIn', actions: 'forgetFollowed' },
] as const;

const wanted = (context: AuthorizationContext) => {
  const { challenge, stepUp, authorizationServer, token } = context;
  return { ...identity(context), challenge, stepUp, authorizationServer, token };
};

export const joining = chart.createStateConfig({
  id: 'joining',
  description: 'Sees to it that the user is asked once, by one process.',
  meta: { rule: 'RES-02' },
  initial: 'takingTurn',
  states: {
    takingTurn: {
      description: 'Takes the lease on the login of this account, and looks what an earlier holder has left.',
      tags: ['working'],
      meta: { rule: 'RES-08' },
      invoke: {
        src: 'takeFlowTurn',
        input: ({ context }) => ({ ...wanted(context), followed: context.followed }),
        onDone: onTurn,
        onError: failing,
      },
    },
    following: {
      description: 'Another process or tab has the login under way; waits for its outcome.',
      tags: ['working', 'waitingForUser'],
      meta: { rule: 'AUT-08' },
      invoke: {
        src: 'followFlow',
        input: ({ context }) => ({ ...wanted(context), followed: promised(context.followed, 'followed login') }),
        onDone: onTurn,
        onError: failing,
      },
    },
  },
});
