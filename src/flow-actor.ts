/** Starts the chart with its effects: checkpoints at every transition, and only public events from outside. */
import { type Actor, createActor, type InspectionEvent } from 'xstate';
import type { AuthorizationMachine } from '../machines/authorization-machine.ts';
import { type AuthorizationEvent, PUBLIC_EVENTS } from '../machines/contracts.ts';
import { setEnvironment } from './actors/effect.ts';
import type { Environment } from './actors/environment.ts';
import { providedMachine } from './actors/provide-actors.ts';
import type { Inspector } from './options.ts';
import { resourceMetadataUrls } from './protocol/well-known.ts';
import type { Settings } from './settings.ts';

export interface FlowActor {
  /** For the embedder: an ordinary XState actor. */
  readonly actor: Actor<AuthorizationMachine>;
  readonly send: (event: AuthorizationEvent) => void;
}

/** XState runs inspectors inside its transitions: what one throws would end the flow it looks at. */
function neverFailing(inspect: Inspector, log: Settings['log']): (event: InspectionEvent) => void {
  let hasFailed = false;
  return (event) => {
    try {
      if (typeof inspect === 'function') inspect(event);
      else inspect.next?.(event);
    } catch {
      if (!hasFailed) log('error', 'inspector-failed');
      hasFailed = true;
    }
  };
}

export function createFlowActor(environment: Environment): FlowActor {
  const { settings } = environment;
  const actor: Actor<AuthorizationMachine> = createActor(providedMachine(), {
    input: {
      resource: settings.resource,
      account: settings.account,
      wellKnownUrls: resourceMetadataUrls(settings.resource),
      requestTries: settings.limits.requestTries,
    },
    ...(settings.inspect && { inspect: neverFailing(settings.inspect, settings.log) }),
  });

  setEnvironment(actor.system, environment);

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
