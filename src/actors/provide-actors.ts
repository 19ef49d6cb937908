/** The chart with the real effects: provided once per process, not once per client. */
import { type AuthorizationMachine, authorizationMachine } from '../../machines/authorization-machine.ts';
import { failureFrom } from '../../machines/context-updates.ts';
import { failure } from '../failure.ts';
import {
  awaitCallback,
  checkCallback,
  exchangeCode,
  openRedirect,
  prepareAuthorization,
  presentAuthorization,
  recordAttempt,
} from './authorizing.ts';
import {
  askResource,
  bindIssuer,
  lookForResourceMetadataActor,
  lookForServerMetadataActor,
  orderAuthorizationServers,
} from './discovering.ts';
import { environmentOf } from './effect.ts';
import { endLogin } from './end-login.ts';
import type { Environment } from './environment.ts';
import { letGoWhenStored } from './flow-turn.ts';
import { followFlow, keepFlowTurn, takeFlowTurn } from './joining.ts';
import { forgetCredential, lookForRotatedToken, pauseBeforeRetry, requestRefresh, takeRefreshTurn } from './refreshing.ts';
import { discardClient, findClient, registerClient } from './registering.ts';
import { restoreFlow } from './restoring.ts';
import { signOut } from './signing-out.ts';
import { confirmStepUp, weighStepUp } from './stepping-up.ts';
import { withWriteAhead } from './write-ahead.ts';

/** The flow has gone on: what cannot be freed or deleted now runs out by its deadline. */
function cleanUp({ cleanUps }: Environment, work: readonly (Promise<void> | undefined)[]): void {
  const all = Promise.allSettled(work).finally(() => cleanUps.delete(all));
  cleanUps.add(all);
}

let provided: AuthorizationMachine | undefined;

/** Each running chart needs its environment set first: `setEnvironment(actor.system, environment)`. */
export function providedMachine(): AuthorizationMachine {
  // On first use: the copy costs more than all other imports together.
  provided ??= withWriteAhead(
    authorizationMachine.provide({
      actors: {
        restoreFlow,
        askResource,
        lookForResourceMetadata: lookForResourceMetadataActor,
        orderAuthorizationServers,
        lookForServerMetadata: lookForServerMetadataActor,
        bindIssuer,
        takeFlowTurn,
        followFlow,
        keepFlowTurn,
        openRedirect,
        findClient,
        registerClient,
        discardClient,
        prepareAuthorization,
        recordAttempt,
        presentAuthorization,
        awaitCallback,
        checkCallback,
        exchangeCode,
        takeRefreshTurn,
        requestRefresh,
        lookForRotatedToken,
        forgetCredential,
        pauseBeforeRetry,
        weighStepUp,
        confirmStepUp,
        signOut,
      },
      actions: {
        closeRedirect: ({ context, event, system }) => {
          const environment = environmentOf(system);
          const { open, attempts } = environment;
          const { redirect, flowTurn } = open;
          open.redirect = undefined;
          // Whoever has taken the login over goes on with its attempt, also where nobody here has noticed yet.
          const isTakenOver = flowTurn?.isCurrent() !== true || ('error' in event && failureFrom(event.error).code === 'flow_taken_over');
          const ours = isTakenOver ? undefined : context.grant;
          cleanUp(environment, [redirect?.close(), ours && attempts.close(ours.attemptId)]);
        },
        giveUpExchange: ({ system }) => environmentOf(system).open.obtaining?.giveUp(),
        releaseFlowTurn: ({ system }) => {
          const environment = environmentOf(system);
          if (environment.open.flowTurn !== undefined) cleanUp(environment, [letGoWhenStored(environment)]);
        },
        endLoginElsewhere: ({ system }) => {
          const environment = environmentOf(system);
          cleanUp(environment, [endLogin(environment, failure('cancelled', 'authorization'))]);
        },
        releaseRefreshTurn: ({ system }) => {
          const environment = environmentOf(system);
          const { refreshTurn, obtaining } = environment.open;
          environment.open.refreshTurn = undefined;
          // A refresh that a cancelled flow left behind still has its turn.
          cleanUp(environment, [obtaining === undefined ? refreshTurn?.release() : obtaining.done.then(() => refreshTurn?.release())]);
        },
      },
    }),
  );
  return provided;
}
