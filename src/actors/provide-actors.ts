/** The chart with the real effects: provided once per process, not once per client. */
import { type AuthorizationMachine, authorizationMachine } from '../../machines/authorization-machine.ts';
import { awaitDeadline, checkCallback, exchangeCode, openRedirect, prepareAuthorization, presentAuthorization } from './authorizing.ts';
import {
  askResource,
  bindIssuer,
  lookForResourceMetadataActor,
  lookForServerMetadataActor,
  orderAuthorizationServers,
} from './discovering.ts';
import { environmentOf } from './effect.ts';
import { lookForRotatedToken, pauseBeforeRetry, requestRefresh, takeRefreshTurn } from './refreshing.ts';
import { discardClient, findClient, registerClient } from './registering.ts';
import { restoreFlow } from './restoring.ts';
import { signOut } from './signing-out.ts';
import { confirmStepUp, weighStepUp } from './stepping-up.ts';

let provided: AuthorizationMachine | undefined;

/** Each running chart needs its environment set first: `setEnvironment(actor.system, environment)`. */
export function providedMachine(): AuthorizationMachine {
  // On first use: the copy costs more than all other imports together.
  provided ??= authorizationMachine.provide({
    actors: {
      restoreFlow,
      askResource,
      lookForResourceMetadata: lookForResourceMetadataActor,
      orderAuthorizationServers,
      lookForServerMetadata: lookForServerMetadataActor,
      bindIssuer,
      openRedirect,
      findClient,
      registerClient,
      discardClient,
      prepareAuthorization,
      presentAuthorization,
      awaitDeadline,
      checkCallback,
      exchangeCode,
      takeRefreshTurn,
      requestRefresh,
      lookForRotatedToken,
      pauseBeforeRetry,
      weighStepUp,
      confirmStepUp,
      signOut,
    },
    actions: {
      closeRedirect: ({ context, system }) => {
        const { open, attempts } = environmentOf(system);
        const { redirect } = open;
        open.redirect = undefined;
        const closing = [redirect?.close(), context.grant && attempts.close(context.grant.attemptId)];
        // The flow has gone on: what cannot be freed or deleted now runs out by its deadline.
        void Promise.allSettled(closing);
      },
      releaseRefreshTurn: ({ system }) => {
        const { open } = environmentOf(system);
        void open.refreshTurn?.release();
        open.refreshTurn = undefined;
      },
    },
  });
  return provided;
}
