/** Resource metadata → choice of authorization server → its metadata → issuer binding. Each candidate is one visit. */
import { assign } from 'xstate';
import { failure } from '../src/failure.ts';
import { chart, failing, identity, promised, rejection } from './chart-setup.ts';
import { authorizationServersOrdered, namesServers, resourceLookedAt, serverLookedAt } from './context-updates.ts';
import type { AuthorizationContext, IssuerCandidate } from './contracts.ts';

const outcome = (is: 'found' | 'absent') => ({
  type: 'isOutcome' as const,
  params: ({ event }: { event: { output: { outcome: string } } }) => ({ outcome: event.output.outcome, is }),
});

function candidate(context: AuthorizationContext): IssuerCandidate {
  const discovery = promised(context.discovery, 'discovery');
  return promised(discovery.issuers[discovery.issuerIndex], 'issuer candidate');
}

export const discovery = chart.createStateConfig({
  id: 'discovering',
  description: 'Finds out which authorization server guards the resource.',
  meta: { rule: 'CHA-04' },
  initial: 'lookingForResourceMetadata',
  states: {
    askingResource: {
      id: 'askingResource',
      description: 'Asks the resource for its challenge.',
      tags: ['working'],
      meta: { rule: 'CHA-03' },
      invoke: {
        src: 'askResource',
        input: ({ context }) => identity(context),
        onDone: {
          target: '#discovering',
          actions: [
            assign(({ context, event }) => ({
              challenge: {
                ...promised(context.challenge, 'challenge'),
                ...(event.output.facts && { facts: event.output.facts }),
              },
            })),
            'planDiscovery',
          ],
        },
        onError: failing,
      },
    },
    lookingForResourceMetadata: {
      description: 'Looks for the protected resource metadata at the next candidate URL.',
      tags: ['working'],
      meta: { rule: 'PRM-01' },
      invoke: {
        src: 'lookForResourceMetadata',
        input: ({ context }) => {
          const { resourceUrls, resourceIndex } = promised(context.discovery, 'discovery');
          return { resource: context.resource, url: promised(resourceUrls[resourceIndex], 'candidate URL') };
        },
        onDone: [
          {
            guard: outcome('found'),
            target: 'orderingAuthorizationServers',
            actions: assign(({ context, event }) => resourceLookedAt(context, event.output)),
          },
          {
            guard: 'hasNextResourceUrl',
            target: 'lookingForResourceMetadata',
            reenter: true,
            actions: assign(({ context, event }) => resourceLookedAt(context, event.output)),
          },
          {
            target: 'orderingAuthorizationServers',
            actions: assign(({ context, event }) => resourceLookedAt(context, event.output)),
          },
        ],
        onError: [
          {
            guard: { type: 'canTryAgain', params: rejection },
            target: 'pausingForResourceMetadata',
            actions: ['countTry', { type: 'keepWarning', params: rejection }],
          },
          failing,
        ],
      },
    },
    pausingForResourceMetadata: {
      description: 'Waits a moment before asking for the resource metadata again.',
      tags: ['working'],
      meta: { rule: 'PRM-02' },
      invoke: {
        src: 'pauseBeforeRetry',
        input: ({ context }) => ({ tries: context.repeats.tries, retryAfterSeconds: context.warning?.details.retryAfterSeconds }),
        onDone: { target: 'lookingForResourceMetadata', actions: assign({ warning: undefined }) },
        onError: failing,
      },
    },
    orderingAuthorizationServers: {
      description: 'Puts the authorization servers of the resource in the order in which they are tried.',
      tags: ['working'],
      meta: { rule: 'PRM-04' },
      invoke: {
        src: 'orderAuthorizationServers',
        input: ({ context }) => ({ ...identity(context), resourceMetadata: context.discovery?.resourceMetadata }),
        onDone: {
          target: 'lookingForServerMetadata',
          actions: assign(({ context, event }) => authorizationServersOrdered(context, event.output)),
        },
        onError: failing,
      },
    },
    lookingForServerMetadata: {
      description: 'Looks for the authorization server metadata at the next candidate URL.',
      tags: ['working'],
      meta: { rule: 'ASM-01' },
      invoke: {
        src: 'lookForServerMetadata',
        input: ({ context }) => {
          const { urlIndex, staleBecause, resourceMetadata } = promised(context.discovery, 'discovery');
          const { issuer, urls } = candidate(context);
          const ignoreCache = staleBecause !== undefined;
          return { issuer, url: promised(urls[urlIndex], 'candidate URL'), ignoreCache, assumed: !namesServers(resourceMetadata) };
        },
        onDone: [
          {
            guard: outcome('found'),
            target: 'bindingIssuer',
            actions: assign(({ context, event }) => ({
              ...serverLookedAt(context, event.output),
              found: event.output.outcome === 'found' ? event.output.document : undefined,
            })),
          },
          {
            guard: 'hasNextServerUrl',
            target: 'lookingForServerMetadata',
            reenter: true,
            actions: assign(({ context, event }) => serverLookedAt(context, event.output)),
          },
          {
            guard: 'hasNextIssuer',
            target: 'lookingForServerMetadata',
            reenter: true,
            actions: [assign(({ context, event }) => serverLookedAt(context, event.output)), 'skipToNextIssuer'],
          },
          {
            guard: 'isLegacy',
            target: 'bindingIssuer',
            actions: assign(({ context, event }) => ({ ...serverLookedAt(context, event.output), found: undefined })),
          },
          {
            target: '#failing',
            actions: assign(({ context, event }) => ({
              ...serverLookedAt(context, event.output),
              failure: failure('no_authorization_server', 'server-metadata', {
                issuer: candidate(context).issuer,
                reason: event.output.probe.reason ?? 'None of the well-known places has its metadata.',
              }),
            })),
          },
        ],
        onError: [
          {
            guard: { type: 'canTryAgain', params: rejection },
            target: 'pausingForServerMetadata',
            actions: ['countTry', { type: 'keepWarning', params: rejection }],
          },
          { guard: 'hasNextIssuer', target: 'lookingForServerMetadata', reenter: true, actions: 'skipToNextIssuer' },
          failing,
        ],
      },
    },
    pausingForServerMetadata: {
      description: 'Waits a moment before asking for the authorization server metadata again.',
      tags: ['working'],
      meta: { rule: 'ASM-02' },
      invoke: {
        src: 'pauseBeforeRetry',
        input: ({ context }) => ({ tries: context.repeats.tries, retryAfterSeconds: context.warning?.details.retryAfterSeconds }),
        onDone: { target: 'lookingForServerMetadata', actions: assign({ warning: undefined }) },
        onError: failing,
      },
    },
    bindingIssuer: {
      description: 'Checks that the authorization server can be used, and finds what is stored under its issuer.',
      tags: ['working'],
      meta: { rule: 'ISS-01' },
      invoke: {
        src: 'bindIssuer',
        input: ({ context }) => ({
          ...identity(context),
          issuer: candidate(context).issuer,
          metadata: context.found,
          fromCache: context.discovery?.probes.at(-1)?.verdict === 'cached',
          resourceMetadata: context.discovery?.resourceMetadata,
          resourceMetadataUrl: context.discovery?.resourceUrls[context.discovery.resourceIndex],
          token: context.token,
        }),
        onDone: [
          {
            guard: {
              type: 'isRenewed',
              params: ({ event }) => ({ isRenewed: event.output.isRenewed, scopes: event.output.token?.scopes ?? [] }),
            },
            target: '#authorized',
            actions: [
              assign(({ event }) => ({ authorizationServer: event.output.authorizationServer, found: undefined })),
              { type: 'adoptToken', params: ({ event }) => ({ token: event.output.token }) },
            ],
          },
          { guard: { type: 'isMetadataUnchanged', params: ({ event }) => event.output }, target: '#failing', actions: 'keepFirstFailure' },
          {
            guard: {
              type: 'canRefresh',
              params: ({ event }) => ({ canRefresh: event.output.canRefresh, scopes: event.output.token?.scopes ?? [] }),
            },
            target: '#refreshing',
            actions: assign(({ event }) => ({
              authorizationServer: event.output.authorizationServer,
              token: event.output.token,
              found: undefined,
            })),
          },
          { guard: 'cannotBeRefreshed', target: '#forgettingCredential', actions: assign({ found: undefined }) },
          {
            target: '#joining',
            actions: assign(({ event }) => ({
              authorizationServer: event.output.authorizationServer,
              token: event.output.token,
              found: undefined,
            })),
          },
        ],
        onError: [{ guard: 'hasNextIssuer', target: 'lookingForServerMetadata', actions: 'skipToNextIssuer' }, failing],
      },
    },
  },
});
