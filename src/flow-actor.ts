/** Starts the chart with its effects: checkpoints at every transition, and only public events from outside. */
import { type Actor, createActor } from 'xstate';
import type { AuthorizationMachine } from '../machines/authorization-machine.ts';
import { type AuthorizationEvent, PUBLIC_EVENTS } from '../machines/contracts.ts';
import { setEnvironment } from './actors/effect.ts';
import type { Environment } from './actors/environment.ts';
import { providedMachine } from './actors/provide-actors.ts';
import { tolerantInspector } from './durable/tolerant-inspector.ts';
import { resourceMetadataUrls } from './protocol/well-known.ts';

export interface FlowActor {
  /** For the embedder: an ordinary XState actor. */
  readonly actor: Actor<AuthorizationMachine>;
  readonly send: (event: AuthorizationEvent) => void;
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
    ...(settings.inspect && { inspect: tolerantInspector(settings.inspect, () => settings.log('error', 'inspector-failed')) }),
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
