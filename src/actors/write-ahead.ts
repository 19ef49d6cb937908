/**
 * What the chart decided is recorded before its effects run (RES-01). The record
 * belongs to the login: everything outside of it starts again from the
 * credential, which is a record of its own.
 */
import type { AuthorizationMachine } from '../../machines/authorization-machine.ts';
import type { AuthorizationContext, AuthorizationServer } from '../../machines/contracts.ts';
import type { SharedMetadata } from '../records/shared-metadata.ts';
import type { JsonObject, JsonValue } from '../stores/contract.ts';
import { environmentOf } from './effect.ts';
import { isLoggingIn } from './stored-context.ts';

/**
 * Records every snapshot the machine comes to. XState starts the invoked effects
 * of a transition after `transition` has returned, so this is the one place in
 * between; an inspector would be told too, but of every event of every actor.
 */
export function withWriteAhead(machine: AuthorizationMachine): AuthorizationMachine {
  const transition = machine.transition.bind(machine);
  machine.transition = (snapshot, event, scope) => {
    const next = transition(snapshot, event, scope);
    if (next !== snapshot && next.status === 'active' && (isLoggingIn(snapshot.value) || isLoggingIn(next.value))) {
      const { journal, open, sharedMetadata } = environmentOf(scope.system);
      // Another process may have taken the login over: the record is its own then.
      if (open.flowTurn !== undefined) journal.record(next.value as JsonValue, checkpointContext(next.context, sharedMetadata));
    }
    return next;
  };
  return machine;
}

/** What resuming needs, and no more: a parked flow stays small. */
function checkpointContext(context: AuthorizationContext, sharedMetadata: SharedMetadata): JsonObject {
  const { challenge, redirectUri, client, grant, stepUp, pastStepUps, failure } = context;
  const authorizationServer = context.authorizationServer && storedServer(context.authorizationServer, sharedMetadata);
  const groups = { challenge, authorizationServer, redirectUri, client, grant, stepUp, pastStepUps, failure };
  // Plain JSON by the rule of the chart (contracts.ts); interfaces have no index signature to say so.
  return groups as unknown as JsonObject;
}

/** A document that the store has is named; `wholeLogin` reads it again. */
function storedServer({ metadata, ...server }: AuthorizationServer, sharedMetadata: SharedMetadata): object {
  const metadataDigest = sharedMetadata.digestOf(metadata);
  return metadataDigest === undefined ? { ...server, metadata } : { ...server, metadataDigest };
}
