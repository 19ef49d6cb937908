/** A client identifier that a person entered: stored under the issuer that was asked about (REG-01, ISS-01). */
import { AuthorizationError } from './errors.ts';
import { failure, failureOf } from './failure.ts';
import type { Flow } from './flow.ts';
import { chooseAuthMethod } from './protocol/client-authentication.ts';

export interface ProvidedClient {
  readonly client_id: string;
  readonly client_secret?: string;
}

export async function provideClient({ actor, send, environment }: Flow, client: ProvidedClient): Promise<void> {
  const { registrations, settings } = environment;
  const snapshot = actor.getSnapshot();
  const server = snapshot.context.authorizationServer;
  if (!snapshot.matches({ working: { loggingIn: 'awaitingClient' } }) || server === undefined) {
    throw new AuthorizationError(
      failure('invalid_configuration', 'registration', { reason: 'No authorization waits for a client identifier.' }),
    );
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
