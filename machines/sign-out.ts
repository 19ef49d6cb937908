/** Forgets the credential of this account. */
import { assign } from 'xstate';
import { chart, failing, identity } from './chart-setup.ts';

export const signingOut = chart.createStateConfig({
  id: 'signingOut',
  description: 'Forgets the tokens of this account, and on request the registration.',
  tags: ['working'],
  meta: { rule: 'OUT-01' },
  // What is being forgotten cannot be cancelled half-way.
  on: { 'authorization.cancel': {}, 'session.signOut': {} },
  invoke: {
    src: 'signOut',
    input: ({ context, event }) => ({
      ...identity(context),
      issuer: context.token?.issuer ?? context.authorizationServer?.issuer,
      forgetRegistration: event.type === 'session.signOut' && event.forgetRegistration,
    }),
    onDone: {
      target: '#unauthorized',
      actions: ['forgetToken', 'forgetFlow', assign({ pastStepUps: [], client: undefined, warning: undefined, restored: true })],
    },
    onError: failing,
  },
});
