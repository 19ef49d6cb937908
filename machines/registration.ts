/** Pre-registered, stored, metadata document, dynamic, or ask: how the client gets its identifier (REG-01). */
import { assign } from 'xstate';
import { chart, failing, identity, promised, rejection, scopeSources } from './chart-setup.ts';
import type { AuthorizationContext } from './contracts.ts';

export const findingClient = chart.createStateConfig({
  description: 'Looks for a client identifier that belongs to this issuer.',
  tags: ['working'],
  meta: { rule: 'REG-01' },
  invoke: {
    src: 'findClient',
    input: ({ context }) => ({
      ...identity(context),
      ...scopeSources(context),
      redirectUri: promised(context.redirectUri, 'redirect URI'),
    }),
    onDone: [
      {
        guard: { type: 'isOutcome', params: ({ event }) => ({ outcome: event.output.outcome, is: 'found' }) },
        target: 'preparingRequest',
        actions: assign(({ event }) => (event.output.outcome === 'found' ? { client: event.output.client } : {})),
      },
      {
        guard: { type: 'isOutcome', params: ({ event }) => ({ outcome: event.output.outcome, is: 'register' }) },
        target: 'registering',
      },
      { target: 'awaitingClient' },
    ],
    onError: failing,
  },
});

export const registering = chart.createStateConfig({
  description: 'Registers the client at the authorization server.',
  tags: ['working', 'unsafeToRepeat'],
  meta: { rule: 'REG-03' },
  invoke: {
    src: 'registerClient',
    input: ({ context }) => ({
      ...identity(context),
      ...scopeSources(context),
      redirectUri: promised(context.redirectUri, 'redirect URI'),
      otherApplicationType: context.repeats.otherApplicationType === true,
    }),
    onDone: { target: 'preparingRequest', actions: assign(({ event }) => ({ client: event.output.client })) },
    onError: [
      {
        guard: { type: 'isRedirectUriRefused', params: rejection },
        target: 'registering',
        reenter: true,
        actions: ['adjustApplicationType', { type: 'keepWarning', params: rejection }],
      },
      {
        guard: { type: 'isMetadataStale', params: rejection },
        target: '#discovering',
        actions: { type: 'planFreshDiscovery', params: rejection },
      },
      failing,
    ],
  },
});

export const awaitingClient = chart.createStateConfig({
  description: 'Waits for a client identifier to be entered.',
  tags: ['waitingForUser'],
  meta: { rule: 'REG-01' },
  // It can take days: until then nobody is kept from asking.
  entry: 'releaseFlowTurn',
  on: { 'client.provided': '#joining' },
});

const registrationInUse = ({ authorizationServer, client }: AuthorizationContext): { issuer: string; clientId: string } => ({
  issuer: promised(authorizationServer, 'authorization server').issuer,
  clientId: promised(client, 'client').clientId,
});

export const discardingClient = chart.createStateConfig({
  description: 'Drops a dynamic registration that the authorization server no longer accepts.',
  tags: ['working'],
  meta: { rule: 'REG-06' },
  invoke: {
    src: 'discardClient',
    input: ({ context }) => registrationInUse(context),
    onDone: { target: '#joining', actions: 'forgetFollowed' },
    onError: failing,
  },
});

export const doubtingClient = chart.createStateConfig({
  description: 'Nobody came back from a page that may have refused the stored registration: the next attempt registers anew.',
  tags: ['working'],
  meta: { rule: 'REG-06' },
  invoke: {
    src: 'discardClient',
    input: ({ context }) => registrationInUse(context),
    onDone: { target: '#failing', actions: 'endUnanswered' },
    onError: failing,
  },
});
