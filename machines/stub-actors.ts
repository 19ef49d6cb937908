/**
 * The chart's actors as it ships: each rejects and names what to provide, so
 * that a chart used without its effects says so at once instead of hanging.
 */
import { fromPromise, type PromiseActorLogic } from 'xstate';
import { failure } from '../src/failure.ts';
import type { ActorContracts, ActorName } from './actor-contracts.ts';

export type AuthorizationActors = {
  [Name in ActorName]: PromiseActorLogic<ActorContracts[Name]['output'], ActorContracts[Name]['input']>;
};

function stub<Name extends ActorName>(name: Name): PromiseActorLogic<ActorContracts[Name]['output'], ActorContracts[Name]['input']> {
  return fromPromise<ActorContracts[Name]['output'], ActorContracts[Name]['input']>(() =>
    Promise.reject(
      failure('invalid_configuration', 'configuration', { reason: `provide ${name}: the chart does no input or output itself` }),
    ),
  );
}

export const stubActors: AuthorizationActors = {
  restoreFlow: stub('restoreFlow'),
  askResource: stub('askResource'),
  lookForResourceMetadata: stub('lookForResourceMetadata'),
  orderAuthorizationServers: stub('orderAuthorizationServers'),
  lookForServerMetadata: stub('lookForServerMetadata'),
  bindIssuer: stub('bindIssuer'),
  takeFlowTurn: stub('takeFlowTurn'),
  followFlow: stub('followFlow'),
  keepFlowTurn: stub('keepFlowTurn'),
  openRedirect: stub('openRedirect'),
  findClient: stub('findClient'),
  registerClient: stub('registerClient'),
  discardClient: stub('discardClient'),
  prepareAuthorization: stub('prepareAuthorization'),
  recordAttempt: stub('recordAttempt'),
  presentAuthorization: stub('presentAuthorization'),
  awaitCallback: stub('awaitCallback'),
  checkCallback: stub('checkCallback'),
  exchangeCode: stub('exchangeCode'),
  takeRefreshTurn: stub('takeRefreshTurn'),
  requestRefresh: stub('requestRefresh'),
  lookForRotatedToken: stub('lookForRotatedToken'),
  forgetCredential: stub('forgetCredential'),
  pauseBeforeRetry: stub('pauseBeforeRetry'),
  weighStepUp: stub('weighStepUp'),
  confirmStepUp: stub('confirmStepUp'),
  signOut: stub('signOut'),
};
