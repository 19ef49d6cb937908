/** Actors of `machines/discovery.ts`. */
import type { ActorContracts } from '../../machines/actor-contracts.ts';
import type { AuthorizationServer, IssuerCandidate } from '../../machines/contracts.ts';
import { FailureError } from '../failure.ts';
import { challengeFacts } from '../protocol/challenge.ts';
import type { Looked, Probe, ResourceMetadata, ServerMetadata } from '../protocol/documents.ts';
import { withoutQuery } from '../protocol/endpoint-url.ts';
import { isFresh } from '../protocol/metadata-age.ts';
import { lookForResourceMetadata } from '../protocol/resource-metadata.ts';
import { refusedEndpoints } from '../protocol/server-endpoint.ts';
import { checkUsable, legacyServerMetadata, lookForServerMetadata } from '../protocol/server-metadata.ts';
import { resourceMetadataUrls, serverMetadataUrls } from '../protocol/well-known.ts';
import { clientCredentials } from './client-credentials.ts';
import { effect } from './effect.ts';
import type { Environment } from './environment.ts';
import { issuerPolicy } from './issuer-policy.ts';
import { adopt } from './keep-tokens.ts';
import { isGoodReplacement, newestCredential } from './stored-credential.ts';

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
    if (named.length === 0) return candidatesFor([new URL(resource).origin]);
    if (settings.chooseAuthorizationServer !== undefined && named.length > 1) {
      const chosen = await settings.chooseAuthorizationServer(named);
      if (!named.includes(chosen)) {
        throw new FailureError('invalid_configuration', 'server-metadata', {
          received: chosen,
          reason: '`chooseAuthorizationServer` returned an issuer that the resource does not name.',
        });
      }
      return candidatesFor([chosen]);
    }
    const bound = named.length > 1 ? await credentials.boundIssuer() : undefined;
    const ordered = bound !== undefined && named.includes(bound) ? [bound, ...named.filter((issuer) => issuer !== bound)] : named;
    return candidatesFor(ordered, settings.limits.authorizationServersTried);
  },
);

/** Where each issuer's metadata may be; what cannot be an issuer identifier makes way for the next (PRM-04). */
function candidatesFor(named: readonly string[], most = 1): ActorContracts['orderAuthorizationServers']['output'] {
  const issuers: IssuerCandidate[] = [];
  const refused: Probe[] = [];
  let failure: FailureError | undefined;
  for (const issuer of named) {
    try {
      issuers.push({ issuer, urls: serverMetadataUrls(issuer) });
    } catch (thrown) {
      if (!(thrown instanceof FailureError)) throw thrown;
      failure ??= thrown;
      const { reason } = thrown.failure.details;
      refused.push({
        document: 'server-metadata',
        url: withoutQuery(issuer),
        durationMs: 0,
        verdict: 'invalid',
        ...(reason && { reason }),
      });
    }
  }
  if (issuers.length === 0 && failure !== undefined) throw failure;
  return { issuers: issuers.slice(0, most), refused };
}

export const lookForServerMetadataActor = effect<'lookForServerMetadata'>(
  'server-metadata',
  async (environment, { url, issuer, ignoreCache, assumed }, signal) => {
    const { settings, http, discoveries } = environment;
    const configured = settings.serverMetadata[issuer];
    if (configured !== undefined) return cached(issuer, configured);
    const stored = await discoveries.readServer(issuer);
    const age = [stored?.storedAtEpochMs ?? 0, stored?.maxAgeSeconds, settings.clock.now(), settings.limits] as const;
    if (stored !== undefined && !ignoreCache && isFresh(...age)) return cached(issuer, stored.metadata);
    // The assumed identifier is an origin of our own making; frameworks that parse URLs publish it with a slash.
    const policy = assumed ? { tolerateTrailingSlash: true, ...issuerPolicy(settings, issuer) } : issuerPolicy(settings, issuer);
    const looked = await lookForServerMetadata(http, {
      url,
      issuer,
      protocolVersion: settings.protocolVersion,
      signal,
      now: settings.clock.now,
      ...(policy && { policy }),
      ...(stored?.etag !== undefined && { cached: { document: stored.metadata, etag: stored.etag } }),
    });
    if (looked.outcome === 'found') {
      // A tolerated slash makes two names of one issuer: a later refresh knows it by the published one.
      for (const name of new Set([issuer, looked.document.issuer])) await remember(environment, name, looked, stored?.maxAgeSeconds);
    }
    return looked;
  },
);

/** What the embedder configured, or what was read from this issuer a while ago (ASM-07). */
const cached = (issuer: string, document: ServerMetadata): Looked<ServerMetadata> => ({
  outcome: 'found',
  document,
  probe: { document: 'server-metadata', url: issuer, durationMs: 0, verdict: 'cached' },
});

/** A 304 that does not say how long the document is good for leaves that as it was (RFC 9111 section 4.3.4). */
async function remember(
  { discoveries }: Environment,
  issuer: string,
  { document, probe, etag, maxAgeSeconds }: Extract<Looked<ServerMetadata>, { outcome: 'found' }>,
  maxAgeSecondsBefore: number | undefined,
): Promise<void> {
  const age = maxAgeSeconds ?? (probe.verdict === 'cached' ? maxAgeSecondsBefore : undefined);
  await discoveries.saveServer(issuer, {
    metadata: document,
    ...(age !== undefined && { maxAgeSeconds: age }),
    ...(etag !== undefined && { etag }),
  });
}

/**
 * The published identifier, if the document was found where it belongs (RFC 9728
 * section 3.3). One found elsewhere speaks for this resource only: a tenant of a
 * shared host must not obtain tokens for the whole host by claiming it.
 */
function resourceSpokenFor(
  { resource, resourceMetadataUrl }: { readonly resource: string; readonly resourceMetadataUrl: string | undefined },
  document: ResourceMetadata,
): string {
  const isItsPlace = resourceMetadataUrl !== undefined && resourceMetadataUrls(document.resource).includes(resourceMetadataUrl);
  return isItsPlace || isSameResource(document.resource, resource) ? document.resource : resource;
}

const isSameResource = (one: string, other: string): boolean => URL.parse(one)?.href === URL.parse(other)?.href;

/** Checks that the server can be used, then looks up what is stored under its issuer and no other (ISS-01). */
export const bindIssuer = effect<'bindIssuer'>('issuer-binding', async (environment, input) => {
  const { issuer, metadata, fromCache, resourceMetadata, token: before } = input;
  const { settings, accessTokens, checkUrl, discoveries } = environment;
  const used = metadata ?? legacyServerMetadata(issuer);
  checkUsable(used, issuerPolicy(settings, used.issuer));
  const [refused] = await refusedEndpoints(used, checkUrl);
  if (refused !== undefined) {
    // Once the server is mended, the next try is to know of it.
    await discoveries.forgetServer(issuer).catch(() => {});
    throw refused;
  }
  const authorizationServer: AuthorizationServer = {
    issuer: used.issuer,
    metadata: used,
    hasResourceMetadata: resourceMetadata !== undefined,
    defaultEndpoints: metadata === undefined,
    fromCache,
    ...(resourceMetadata && { resourceIdentifier: resourceSpokenFor(input, resourceMetadata) }),
    ...(resourceMetadata?.scopes_supported && { resourceScopes: resourceMetadata.scopes_supported }),
  };
  const newest = await newestCredential(environment, used.issuer);
  if (newest === undefined) {
    // A token of another issuer must not be sent to a resource that has left it (ISS-02).
    accessTokens.hold(undefined);
    return { authorizationServer, isRenewed: false, canRefresh: false };
  }
  const token = adopt(environment, newest.facts, newest.tokens);
  const client = token.refreshable ? await clientCredentials(environment, authorizationServer, token) : undefined;
  // What an issuer gave out before the resource left it is no news: it is refreshed when the resource comes back (ISS-02).
  const isRenewed = (before === undefined || before.issuer === token.issuer) && isGoodReplacement(environment, token, before?.version);
  return { authorizationServer, token, isRenewed, canRefresh: client !== undefined };
});
