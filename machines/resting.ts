/** The states in which nothing happens until someone asks: each is a safe place to stay for ever. */
import { chart } from './chart-setup.ts';

export const resting = chart.createStateConfig({
  description: 'Nothing is under way.',
  meta: { rule: 'RES-01' },
  initial: 'idle',
  entry: 'releaseFlowTurn',
  on: {
    'session.restore': { target: '#restoring', actions: 'forgetOutcome' },
    // A 401 still on its way then belongs to a session that the user has ended: it must not ask for a login.
    'session.signOut': { target: '#signingOut', actions: 'endFlowBySignOut' },
    // Another process may have a login under way that nobody here has taken part in.
    'authorization.cancel': { guard: 'isCancelledEverywhere', actions: 'endLoginElsewhere' },
    'authorization.begin': { target: '#askingResource', actions: 'begin' },
    'challenge.received': [
      { guard: 'wantsStepUp', target: '#steppingUp', actions: 'begin' },
      { guard: 'wantsRefresh', target: '#refreshing', actions: 'begin' },
      { guard: 'isCurrentChallenge', target: '#discovering', actions: ['begin', 'planDiscovery'] },
    ],
  },
  states: {
    idle: {
      id: 'idle',
      description: 'The store has not been read yet.',
      meta: { rule: 'RES-01' },
    },
    unauthorized: {
      id: 'unauthorized',
      description: 'There is no credential; requests are sent without one, and a 401 starts the flow.',
      tags: ['terminal'],
      meta: { rule: 'FET-04' },
    },
    authorized: {
      id: 'authorized',
      description: 'An access token is ready; requests carry it without passing through the chart.',
      meta: { rule: 'FET-11' },
    },
    cancelled: {
      id: 'cancelled',
      description: 'The flow was cancelled; the next request starts a new one.',
      tags: ['terminal'],
      meta: { rule: 'FET-07' },
    },
    failed: {
      id: 'failed',
      description: 'The flow ended with a failure that says what to do.',
      meta: { rule: 'OBS-02' },
      initial: 'sorting',
      states: {
        sorting: {
          id: 'failing',
          description: 'Can the same be tried again later?',
          meta: { rule: 'RFR-03' },
          always: [{ guard: 'isRetryable', target: 'forNow' }, { target: 'forGood' }],
        },
        forNow: {
          description: 'A server, the network or the store is not available; nothing was lost.',
          tags: ['terminal', 'retryable'],
          meta: { rule: 'RFR-03' },
        },
        forGood: {
          description: 'Someone has to change something, or to start again.',
          tags: ['terminal'],
          meta: { rule: 'AUT-06' },
        },
      },
    },
  },
});
