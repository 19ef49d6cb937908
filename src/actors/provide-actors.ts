/** The chart's actors with the real effects, for one client. */
import type { AuthorizationActors } from '../../machines/stub-actors.ts';
import { awaitDeadline, checkCallback, exchangeCode, openRedirect, prepareAuthorization, presentAuthorization } from './authorizing.ts';
import { askResource, bindIssuer, lookForResourceMetadataActor, lookForServerMetadataActor, orderAuthorizationServers } from './discovering.ts';
import type { Environment } from './environment.ts';
import { lookForRotatedToken, pauseBeforeRetry, requestRefresh, takeRefreshTurn } from './refreshing.ts';
import { discardClient, findClient, registerClient } from './registering.ts';
import { restoreFlow } from './restoring.ts';
import { signOut } from './signing-out.ts';
import { confirmStepUp, weighStepUp } from './stepping-up.ts';

export function provideActors(environment: Environment): AuthorizationActors {
  return {
    restoreFlow: restoreFlow(environment),
    askResource: askResource(environment),
    lookForResourceMetadata: lookForResourceMetadataActor(environment),
    orderAuthorizationServers: orderAuthorizationServers(environment),
    lookForServerMetadata: lookForServerMetadataActor(environment),
    bindIssuer: bindIssuer(environment),
    openRedirect: openRedirect(environment),
    findClient: findClient(environment),
    registerClient: registerClient(environment),
    discardClient: discardClient(environment),
    prepareAuthorization: prepareAuthorization(environment),
    presentAuthorization: presentAuthorization(environment),
    awaitDeadline: awaitDeadline(environment),
    checkCallback: checkCallback(environment),
    exchangeCode: exchangeCode(environment),
    takeRefreshTurn: takeRefreshTurn(environment),
    requestRefresh: requestRefresh(environment),
    lookForRotatedToken: lookForRotatedToken(environment),
    pauseBeforeRetry: pauseBeforeRetry(environment),
    weighStepUp: weighStepUp(environment),
    confirmStepUp: confirmStepUp(environment),
    signOut: signOut(environment),
  };
}
