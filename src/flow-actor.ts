/** Starts the chart with its effects: checkpoints at every transition, and only public events from outside. */
import { type Actor, createActor, type InspectionEvent } from 'xstate';
import type { AuthorizationMachine } from '../machines/authorization-machine.ts';
import { type AuthorizationContext, type AuthorizationEvent, PUBLIC_EVENTS } from '../machines/contracts.ts';
import type { AuthorizationSnapshot } from '../machines/selectors.ts';
import { setEnvironment } from './actors/effect.ts';
import type { Environment } from './actors/environment.ts';
import { providedMachine } from './actors/provide-actors.ts';
import { resourceMetadataUrls } from './protocol/well-known.ts';
import type { JsonObject, JsonValue } from './stores/contract.ts';

export interface FlowActor {
  /** For the embedder: an ordinary XState actor. */
  readonly actor: Actor<AuthorizationMachine>;
  readonly send: (event: AuthorizationEvent) => void;
}

export function createFlowActor(environment: Environment): FlowActor {
  const { settings, journal } = environment;
  const actor: Actor<AuthorizationMachine> = createActor(providedMachine(), {
    input: {
      resource: settings.resource,
      account: settings.account,
      wellKnownUrls: resourceMetadataUrls(settings.resource),
      requestTries: settings.limits.requestTries,
    },
    inspect: (event: InspectionEvent) => {
      if (event.type === '@xstate.microstep' && event.actorRef === actor) {
        record(event.snapshot as AuthorizationSnapshot);
      }
      settings.inspect?.(event);
    },
  });

  setEnvironment(actor.system, environment);

  function record(snapshot: AuthorizationSnapshot): void {
    // Before the store has been read there is nothing to say, and a checkpoint in it to lose.
    if (snapshot.context.restored) journal.record(snapshot.value as JsonValue, checkpointContext(snapshot.context));
  }

  const hear = actor.send.bind(actor);
  const send = (event: AuthorizationEvent): void => {
    // A closed client hears nothing more; XState would say so on the console (SEC-05).
    if (actor.getSnapshot().status === 'active') hear(event);
  };
  // Anyone who holds the actor could otherwise send a done event of one of its own actors.
  actor.send = (event) => {
    if (PUBLIC_EVENTS.has(event.type)) send(event);
  };
  return { actor, send };
}

/** What resuming needs, and no more: a parked flow stays small. */
function checkpointContext(context: AuthorizationContext): JsonObject {
  const { challenge, authorizationServer, redirectUri, client, grant, stepUp, pastStepUps, failure } = context;
  const groups = { challenge, authorizationServer, redirectUri, client, grant, stepUp, pastStepUps, failure };
  // Plain JSON by the rule of the chart (contracts.ts); interfaces have no index signature to say so.
  return groups as unknown as JsonObject;
}
