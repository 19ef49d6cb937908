/** Actors of `machines/registration.ts`: how the client gets its identifier (REG-01). */
import * as z from 'zod/mini';
import type { ScopeSources } from '../../machines/actor-contracts.ts';
import type { AuthorizationServer, ClientFacts } from '../../machines/contracts.ts';
import { takeTurn } from '../durable/take-turns.ts';
import { FailureError } from '../failure.ts';
import { fullClientMetadata } from '../protocol/client-metadata.ts';
import type { ClientMetadata } from '../protocol/documents.ts';
import { isRedirectUriRejection, registerClient as registerAt } from '../protocol/registration.ts';
import { missingScopes, scopeUnion } from '../protocol/scopes.ts';
import { recordKey } from '../records/keys.ts';
import { decodeRecord, RECORD_FORMAT } from '../records/record-format.ts';
import type { Settings } from '../settings.ts';
import { preregisteredAuthMethod, preregisteredFor } from './client-credentials.ts';
import { effect } from './effect.ts';
import type { Environment } from './environment.ts';
import { isSameIssuer } from './issuer-policy.ts';
import { scopesToRequest } from './requested-scopes.ts';

export const findClient = effect<'findClient'>('registration', async (environment, input) => {
  const { settings } = environment;
  const { authorizationServer, redirectUri, resource } = input;
  const { metadata } = authorizationServer;
  if (settings.preregistered.length > 0) {
    return { outcome: 'found', client: await preregisteredClient(environment, authorizationServer, redirectUri, resource) };
  }
  const stored = await storedClient(environment, input);
  if (stored !== undefined) return { outcome: 'found', client: stored };
  if (metadata.client_id_metadata_document_supported === true && settings.clientMetadataUrl !== undefined) {
    const client: ClientFacts = { clientId: settings.clientMetadataUrl, source: 'metadata-document', authMethod: 'none', redirectUri };
    return { outcome: 'found', client };
  }
  return { outcome: metadata.registration_endpoint === undefined ? 'ask' : 'register' };
});

/** Pre-registered credentials are for one issuer; meeting another is an error that names both (ISS-07). */
async function preregisteredClient(
  environment: Environment,
  server: AuthorizationServer,
  redirectUri: string,
  resource: string,
): Promise<ClientFacts> {
  const { settings } = environment;
  const client = preregisteredFor(environment, server.issuer);
  const expected = client === undefined ? settings.preregistered.map(({ issuer }) => issuer).join(', ') : client.issuer;
  const remembered = client?.issuer ?? (client && (await rememberIssuer(environment, resource, client.client_id, server.issuer)));
  if (client === undefined || remembered === undefined || !isSameIssuer(settings, remembered, server.issuer)) {
    const owner = remembered ?? expected ?? 'another issuer';
    throw new FailureError('client_issuer_mismatch', 'registration', {
      expected: owner,
      received: server.issuer,
      resource,
      reason: `It is registered with ${owner}, but the resource names ${server.issuer}.`,
    });
  }
  return { clientId: client.client_id, source: 'preregistered', authMethod: preregisteredAuthMethod(client, server), redirectUri };
}

/**
 * A client configured without issuer is bound to the first one it meets, for good.
 * In the vault, since it decides who gets the client's secret.
 */
async function rememberIssuer({ vault }: Environment, resource: string, clientId: string, issuer: string): Promise<string> {
  const record = { format: RECORD_FORMAT, issuer };
  const written = await vault.write(recordKey('vault', 'preregistered', resource, clientId), record, { expected: null });
  if (written.written || written.current === undefined) return issuer;
  return decodeRecord('preregistered', issuerRecord, written.current).issuer;
}

const issuerRecord = z.object({ issuer: z.string() });

interface Wanted extends ScopeSources {
  readonly redirectUri: string;
}

/**
 * A stored registration, unless its secret has expired or it covers neither the
 * redirect URI in use nor the scopes now wanted: servers may hold a client to both (REG-05).
 */
async function storedClient(environment: Environment, wanted: Wanted): Promise<ClientFacts | undefined> {
  const { settings, registrations } = environment;
  const { redirectUri } = wanted;
  const stored = await registrations.find(wanted.authorizationServer.issuer, settings.clientMetadata.redirect_uris);
  if (stored === undefined) return undefined;
  const { facts } = stored;
  const isExpired = facts.secretExpiresAtEpochSeconds !== undefined && facts.secretExpiresAtEpochSeconds * 1000 <= settings.clock.now();
  const coversScopes = facts.scopes === undefined || missingScopes(scopesToRequest(settings, wanted), facts.scopes).length === 0;
  const isCovered = facts.source === 'provided' || (facts.redirectUris.includes(redirectUri) && coversScopes);
  if (isExpired || !isCovered) return undefined;
  return {
    clientId: facts.clientId,
    source: facts.source === 'provided' ? 'provided' : 'stored',
    authMethod: facts.authMethod,
    redirectUri,
  };
}

/** Registers once, however many flows start together: whoever waits finds the winner's registration (REG-08). */
export const registerClient = effect<'registerClient'>('registration', async (environment, input, signal) => {
  const { settings, leases, registrations, http } = environment;
  const { authorizationServer, redirectUri, otherApplicationType } = input;
  const { issuer, metadata } = authorizationServer;
  const found = () => storedClient(environment, input);
  const taken = await takeTurn(leases, recordKey('lease', 'registration', issuer, redirectUri), {
    clock: settings.clock,
    waitMs: settings.limits.leaseWaitMs,
    busy: { code: 'registration_busy', phase: 'registration' },
    signal,
    meanwhile: found,
  });
  if ('done' in taken) return { client: taken.done };
  try {
    const already = await found();
    if (already !== undefined) return { client: already };
    const scopes = scopesToRegister(settings, input);
    const clientMetadata = fullClientMetadata(settings.clientMetadata, {
      redirectUris: [redirectUri],
      offlineAccess: settings.offlineAccess,
      ...(scopes !== undefined && { scopes }),
    });
    const registered = await registerAt(http, {
      metadata,
      clientMetadata: otherApplicationType ? withOtherApplicationType(clientMetadata) : clientMetadata,
      signal,
    }).catch((thrown) => refused(thrown, authorizationServer));
    const { clientSecret, ...facts } = registered;
    await registrations.save(
      {
        ...facts,
        ...(scopes !== undefined && { scopes }),
        issuer,
        source: 'dynamic',
        registeredAtEpochSeconds: Math.floor(settings.clock.now() / 1000),
      },
      { redirectSet: settings.clientMetadata.redirect_uris, clientSecret },
    );
    return { client: { clientId: registered.clientId, source: 'dynamic', authMethod: registered.authMethod, redirectUri } };
  } finally {
    await taken.turn.release();
  }
});

/** The other of the two that OpenID Connect registration has (REG-07). */
function withOtherApplicationType(metadata: ClientMetadata): ClientMetadata {
  return { ...metadata, application_type: metadata.application_type === 'web' ? 'native' : 'web' };
}

/** What is asked for now, and what the resource may ask for later: registering is not requesting (REG-03). */
function scopesToRegister(settings: Settings, wanted: Wanted): readonly string[] | undefined {
  const scopes = scopesToRequest(settings, wanted);
  return scopes && scopeUnion(scopes, wanted.authorizationServer.resourceScopes);
}

/** Tells the chart that the other `application_type` may help (REG-07), and the user that there was nobody to register with (PRM-05). */
function refused(thrown: unknown, { issuer, defaultEndpoints }: AuthorizationServer): never {
  if (!(thrown instanceof FailureError)) throw thrown;
  const { code, phase, details } = thrown.failure;
  if (defaultEndpoints && isNotThere(details.status)) {
    throw new FailureError('no_authorization_server', 'server-metadata', {
      issuer,
      ...(details.status !== undefined && { status: details.status }),
      reason: 'It publishes no metadata of any kind, and the endpoints that servers had before there was metadata are not there either.',
    });
  }
  if (!isRedirectUriRejection(thrown.failure)) throw thrown;
  throw new FailureError(code, phase, { ...details, redirectUriRefused: true });
}

const isNotThere = (status: number | undefined): boolean => status === 404 || status === 405;

export const discardClient = effect<'discardClient'>('registration', async (environment, { issuer, clientId }) => {
  const { settings, registrations } = environment;
  const { redirect_uris: redirectUris } = settings.clientMetadata;
  if (clientId === preregisteredFor(environment, issuer)?.client_id || clientId === settings.clientMetadataUrl) return { discarded: false };
  const stored = await registrations.find(issuer, redirectUris);
  if (stored?.facts.clientId === clientId && stored.facts.source === 'provided') return { discarded: false };
  await registrations.forget(issuer, redirectUris, { clientId });
  return { discarded: true };
});
