/** Actors of `machines/discovery.ts`. */
import type { AuthorizationServer } from '../../machines/contracts.ts';
import { FailureError } from '../failure.ts';
import { challengeFacts } from '../protocol/challenge.ts';
import type { Looked, ServerMetadata } from '../protocol/documents.ts';
import { withoutQuery } from '../protocol/endpoint-url.ts';
import { isFresh } from '../protocol/metadata-age.ts';
import { lookForResourceMetadata } from '../protocol/resource-metadata.ts';
import { checkUsable, legacyServerMetadata, lookForServerMetadata } from '../protocol/server-metadata.ts';
import { serverMetadataUrls } from '../protocol/well-known.ts';
import { clientCredentials } from './client-credentials.ts';
import { effect } from './effect.ts';
import type { Environment } from './environment.ts';

export const askResource = effect<'askResource'>('resource-metadata', async (environment, { resource }, signal) => {
  const { settings, http } = environment;
  const startedAtMs = settings.clock.now();
  const response = await http(resource, {
    headers: { accept: 'application/json, text/event-stream', 'mcp-protocol-version': settings.protocolVersion },
    phase: 'resource-metadata',
    purpose: 'resource-metadata',
    signal,
    discardBody: true,
  });
  const facts = challengeFacts(response.headers);
  return {
    ...(facts !== undefined && { facts }),
    probe: {
      document: 'resource',
      url: withoutQuery(resource),
      status: response.status,
      durationMs: settings.clock.now() - startedAtMs,
      verdict: facts === undefined ? 'absent' : 'found',
    },
  };
});

export const lookForResourceMetadataActor = effect<'lookForResourceMetadata'>(
  'resource-metadata',
  (environment, { url, resource }, signal) => {
    const { settings, http } = environment;
    return lookForResourceMetadata(http, {
      url,
      resource,
      protocolVersion: settings.protocolVersion,
      signal,
      now: settings.clock.now,
      ...(settings.validateResource && { validateResource: settings.validateResource }),
    });
  },
);

/** The embedder's choice; else the issuer already bound; else the order of the document (PRM-04). */
export const orderAuthorizationServers = effect<'orderAuthorizationServers'>(
  'server-metadata',
  async (environment, { resource, resourceMetadata }) => {
    const { settings, credentials } = environment;
    const named = [...new Set(resourceMetadata?.authorization_servers ?? [])];
    if (named.length === 0) return { issuers: [candidateFor(new URL(resource).origin)] };
    if (settings.chooseAuthorizationServer !== undefined && named.length > 1) {
      const chosen = await settings.chooseAuthorizationServer(named);
      if (!named.includes(chosen)) {
        throw new FailureError('invalid_configuration', 'server-metadata', {
          received: chosen,
          reason: '`chooseAuthorizationServer` returned an issuer that the resource does not name.',
        });
      }
      return { issuers: [candidateFor(chosen)] };
    }
    const bound = named.length > 1 ? await credentials.boundIssuer() : undefined;
    const ordered = bound !== undefined && named.includes(bound) ? [bound, ...named.filter((issuer) => issuer !== bound)] : named;
    return { issuers: ordered.slice(0, settings.limits.authorizationServersTried).map(candidateFor) };
  },
);

const candidateFor = (issuer: string) => ({ issuer, urls: serverMetadataUrls(issuer) });

export const lookForServerMetadataActor = effect<'lookForServerMetadata'>(
  'server-metadata',
  async (environment, { url, issuer, ignoreCache }, signal) => {
    const { settings, http, discoveries } = environment;
    const known = await knownMetadata(environment, issuer, ignoreCache);
    if (known !== undefined) return known;
    const policy = settings.issuers[issuer];
    const looked = await lookForServerMetadata(http, {
      url,
      issuer,
      protocolVersion: settings.protocolVersion,
      signal,
      now: settings.clock.now,
      ...(policy && { policy }),
    });
    if (looked.outcome === 'found') {
      await discoveries.saveServer(issuer, {
        metadata: looked.document,
        ...(looked.maxAgeSeconds !== undefined && { maxAgeSeconds: looked.maxAgeSeconds }),
        ...(looked.etag !== undefined && { etag: looked.etag }),
      });
    }
    return looked;
  },
);

/** What the embedder configured, or what was read from this issuer a while ago (ASM-07). */
async function knownMetadata(
  { settings, discoveries }: Environment,
  issuer: string,
  ignoreCache: boolean,
): Promise<Looked<ServerMetadata> | undefined> {
  const cached = (document: ServerMetadata): Looked<ServerMetadata> => ({
    outcome: 'found',
    document,
    probe: { document: 'server-metadata', url: issuer, durationMs: 0, verdict: 'cached' },
  });
  const configured = settings.serverMetadata[issuer];
  if (configured !== undefined) return cached(configured);
  if (ignoreCache) return undefined;
  const stored = await discoveries.readServer(issuer);
  if (stored === undefined) return undefined;
  const isUsable = isFresh(stored.storedAtEpochMs, stored.maxAgeSeconds, settings.clock.now(), settings.limits);
  return isUsable ? cached(stored.metadata) : undefined;
}

/** Checks that the server can be used, then looks up what is stored under its issuer and no other (ISS-01). */
export const bindIssuer = effect<'bindIssuer'>('issuer-binding', async (environment, { issuer, metadata, fromCache, resourceMetadata }) => {
  const { settings, credentials, accessTokens } = environment;
  const used = metadata ?? legacyServerMetadata(issuer);
  checkUsable(used, settings.issuers[issuer]);
  const authorizationServer: AuthorizationServer = {
    issuer: used.issuer,
    metadata: used,
    hasResourceMetadata: resourceMetadata !== undefined,
    defaultEndpoints: metadata === undefined,
    fromCache,
    ...(resourceMetadata && { resourceIdentifier: resourceMetadata.resource }),
    ...(resourceMetadata?.scopes_supported && { resourceScopes: resourceMetadata.scopes_supported }),
  };
  const stored = await credentials.read(used.issuer);
  if (stored === undefined) {
    // A token of another issuer must not be sent to a resource that has left it (ISS-02).
    accessTokens.hold(undefined);
    return { authorizationServer, canRefresh: false };
  }
  const client = stored.facts.refreshable ? await clientCredentials(environment, authorizationServer, stored.facts.clientId) : undefined;
  return { authorizationServer, token: stored.facts, canRefresh: client !== undefined };
});
