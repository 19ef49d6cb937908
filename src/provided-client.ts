/** A client identifier that a person entered: stored under the issuer that was asked about (REG-01, ISS-01). */

import { isResting } from '../machines/selectors.ts';
import { AuthorizationError } from './errors.ts';
import { failure, failureOf } from './failure.ts';
import type { Flow } from './flow.ts';
import { chooseAuthMethod } from './protocol/client-authentication.ts';
import { until } from './until.ts';

export interface ProvidedClient {
  readonly client_id: string;
  readonly client_secret?: string;
}

/** In whichever process: the flow that asked for it is found in the store. */
export async function provideClient(flow: Flow, client: ProvidedClient): Promise<void> {
  const { actor, send, environment } = flow;
  const { registrations, settings } = environment;
  const restoring = flow.restored();
  if (restoring !== undefined) await restoring;
  const snapshot = await until(actor, (now) => isResting(now) || now.hasTag('waitingForUser'));
  const server = snapshot.context.authorizationServer;
  if (!snapshot.matches({ working: { loggingIn: 'awaitingClient' } }) || server === undefined) {
    throw new AuthorizationError(failure('client_not_expected', 'registration'));
  }
  const supported = server.metadata.token_endpoint_auth_methods_supported;
  try {
    // The secret is in the vault before the event says that there is one.
    await registrations.save(
      {
        issuer: server.issuer,
        clientId: client.client_id,
        source: 'provided',
        authMethod: chooseAuthMethod({
          hasSecret: client.client_secret !== undefined,
          hasPrivateKey: false,
          ...(supported && { supported }),
        }),
        redirectUris: [],
        registeredAtEpochSeconds: Math.floor(settings.clock.now() / 1000),
      },
      { redirectSet: settings.clientMetadata.redirect_uris, clientSecret: client.client_secret },
    );
  } catch (thrown) {
    throw new AuthorizationError(failureOf(thrown, 'registration'));
  }
  send({ type: 'client.provided' });
}
