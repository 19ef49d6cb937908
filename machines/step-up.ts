/** A 403 that asks for more scopes: is it needed, is it wanted, was it tried before? */
import { assign } from 'xstate';
import { chart, failing, identity, promised } from './chart-setup.ts';

export const steppingUp = chart.createStateConfig({
  id: 'steppingUp',
  description: 'Decides whether the user is asked for more scopes.',
  meta: { rule: 'FET-08' },
  initial: 'weighingStepUp',
  states: {
    weighingStepUp: {
      description: 'Joins previous and challenged scopes, and looks for a token that already covers them.',
      tags: ['working'],
      meta: { rule: 'SCO-04' },
      invoke: {
        src: 'weighStepUp',
        input: ({ context }) => ({
          ...identity(context),
          challenge: promised(context.challenge, 'challenge'),
          token: context.token,
          pastStepUps: context.pastStepUps,
        }),
        onDone: [
          {
            guard: { type: 'isOutcome', params: ({ event }) => ({ outcome: event.output.outcome, is: 'covered' }) },
            target: '#authorized',
            actions: {
              type: 'adoptToken',
              params: ({ event }) => ({ token: event.output.outcome === 'covered' ? event.output.token : undefined }),
            },
          },
          {
            target: 'confirmingStepUp',
            actions: assign(({ event }) => (event.output.outcome === 'needed' ? { stepUp: event.output.stepUp } : {})),
          },
        ],
        onError: failing,
      },
    },
    confirmingStepUp: {
      description: 'Asks the embedder whether the user may be disturbed.',
      tags: ['working'],
      meta: { rule: 'SCO-06' },
      invoke: {
        src: 'confirmStepUp',
        input: ({ context }) => ({ stepUp: promised(context.stepUp, 'step-up') }),
        onDone: [
          {
            guard: { type: 'isConfirmed', params: ({ event }) => event.output },
            target: '#discovering',
            actions: 'planDiscovery',
          },
          { target: '#authorized', actions: 'forgetFlow' },
        ],
        onError: failing,
      },
    },
  },
});
