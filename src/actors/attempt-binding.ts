/**
 * What an attempt was begun with, as a digest that is kept in the vault beside its
 * verifier. A checkpoint lies in the store, where more people may write: without
 * this, a token endpoint edited into it would get code, verifier and client secret
 * of a login that is resumed (ISS-01, ISS-09).
 */
import type { AuthorizationServer, ClientFacts, Grant } from '../../machines/contracts.ts';
import { FailureError } from '../failure.ts';
import { orderedJson } from '../ordered-json.ts';
import { digest } from '../records/keys.ts';
import type { Environment } from './environment.ts';
import type { StoredContext } from './stored-context.ts';

interface Begun {
  readonly authorizationServer?: AuthorizationServer | undefined;
  readonly client?: ClientFacts | undefined;
  readonly grant: Grant;
}

export function attemptBinding(flowKey: string, { authorizationServer, client, grant }: Begun): Promise<string> {
  return digest(orderedJson([flowKey, authorizationServer, client, grant]));
}

/**
 * @throws FailureError `issuer_changed` or `record_unreadable` if the checkpoint
 *   names another server, client or grant than the attempt was begun with; one that
 *   is over is bound to nothing.
 */
export async function checkAttemptBinding({ attempts, flowKey }: Environment, begun: StoredContext): Promise<void> {
  const { grant, authorizationServer, client } = begun;
  if (grant === undefined) return;
  const bound = await attempts.boundTo(grant.attemptId);
  if (bound === undefined || bound === (await attemptBinding(flowKey, { authorizationServer, client, grant }))) return;
  if (authorizationServer !== undefined && authorizationServer.issuer !== grant.issuer) {
    throw new FailureError('issuer_changed', 'authorization', { expected: grant.issuer, received: authorizationServer.issuer });
  }
  throw new FailureError('record_unreadable', 'storage', { reason: 'The checkpoint is not the one its attempt was begun with.' });
}
