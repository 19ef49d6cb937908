/**
 * The whole authorization flow as one statechart: what `docs/statechart.svg`
 * shows, what the inspector steps through and what a checkpoint is taken of.
 *
 * Pure: no clock, no randomness, no input or output. Every effect is an actor
 * to provide (see `contracts.ts`); the ones here reject and say so.
 */
import { loggingIn } from './authorization-grant.ts';
import { chart } from './chart-setup.ts';
import { initialContext } from './context-updates.ts';
import { discovery } from './discovery.ts';
import { joining } from './joining.ts';
import { refreshing } from './refresh.ts';
import { resting } from './resting.ts';
import { restoring } from './restoring.ts';
import { signingOut } from './sign-out.ts';
import { steppingUp } from './step-up.ts';

export const authorizationMachine = chart.createMachine({
  id: 'authorization',
  description: 'An MCP client obtains, keeps and renews access to one protected resource for one account.',
  meta: { rule: 'OBS-01' },
  context: ({ input }) => initialContext(input),
  initial: 'resting',
  states: {
    resting,
    working: {
      description: 'A flow is under way; whoever needs its outcome waits for it.',
      meta: { rule: 'FET-06' },
      initial: 'restoring',
      on: {
        'authorization.cancel': [
          { guard: 'isCancelledEverywhere', target: '#cancelled', actions: ['endLoginElsewhere', 'cancelFlow', 'forgetFlow'] },
          { target: '#cancelled', actions: ['cancelFlow', 'forgetFlow'] },
        ],
        'session.signOut': { target: '#signingOut', actions: 'endFlowBySignOut' },
      },
      states: { restoring, discovering: discovery, joining, loggingIn, refreshing, steppingUp, signingOut },
    },
  },
});

export type AuthorizationMachine = typeof authorizationMachine;
