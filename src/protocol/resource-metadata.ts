/**
 * Protected resource metadata, RFC 9728: is it at this URL, and is it about this
 * resource? One call is one candidate of `resourceMetadataUrls`.
 *
 * Left out: `signed_metadata` (section 2.2), and the members that the flow has no
 * use for.
 */
import * as z from 'zod/mini';
import { FailureError } from '../failure.ts';
import type { AuthorizationClientOptions } from '../options.ts';
import type { Looked, Probe, ResourceMetadata } from './documents.ts';
import { isSafeEndpoint, webUrl, withoutQuery } from './endpoint-url.ts';
import type { Http } from './http.ts';
import { invalidMembers, lookAt } from './metadata-look.ts';
import { isResourceOf } from './resource-identifier.ts';
import { isScopeToken } from './scope-token.ts';
import { serverText } from './server-text.ts';

const LONGEST_IDENTIFIER_CHARACTERS = 2048;

const documentSchema = z.object({
  resource: z.string().check(z.maxLength(LONGEST_IDENTIFIER_CHARACTERS)),
  // Encoders write null for what is not set.
  authorization_servers: z.nullish(z.array(z.string())),
  // Only advice on what to ask for: no reason to lose the document.
  scopes_supported: z.catch(z.nullish(z.array(z.string())), undefined),
});

export interface ResourceMetadataLook {
  /** A candidate of `resourceMetadataUrls`. */
  readonly url: string;
  /** The canonical resource identifier. */
  readonly resource: string;
  readonly protocolVersion: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Replaces the rule of PRM-03. */
  readonly validateResource?: AuthorizationClientOptions['validateResource'];
  /** Told of a mismatch that would be thrown, and the look goes on: for a diagnosis only. */
  readonly onFlaw?: ((flaw: FailureError) => void) | undefined;
}

/**
 * `absent` for 4xx, redirects to elsewhere, what is not valid metadata, and a URL on
 * another origin that the policy refuses (SEC-03), with the reason in the probe (PRM-02). A document without `authorization_servers` is
 * found, with an empty list.
 *
 * @throws FailureError `resource_mismatch` (PRM-03), `server_unavailable` for 5xx
 *   and 429, and what `Http` throws: neither may turn into the legacy flow
 */
export async function lookForResourceMetadata(http: Http, look: ResourceMetadataLook): Promise<Looked<ResourceMetadata>> {
  const unusable = reasonAgainst(look.url, look.resource);
  if (unusable !== undefined) {
    const probe: Probe = {
      document: 'resource-metadata',
      url: withoutQuery(look.url),
      durationMs: 0,
      verdict: 'invalid',
      reason: unusable,
    };
    return { outcome: 'absent', probe };
  }
  const { url, protocolVersion, signal, now } = look;
  const sight = await lookAt(http, {
    url,
    document: 'resource-metadata',
    protocolVersion,
    signal,
    now,
    // Behind a proxy, servers name themselves by inner addresses; the resource's own places are still to be asked.
    mayBeRefused: new URL(url).origin !== new URL(look.resource).origin,
  });
  if (sight.seen !== 'object') return { outcome: 'absent', probe: sight.probe };

  const parsed = documentSchema.safeParse(sight.object);
  if (!parsed.success)
    return { outcome: 'absent', probe: { ...sight.probe, verdict: 'invalid', reason: invalidMembers(parsed.error.issues) } };
  const { resource, authorization_servers, scopes_supported } = parsed.data;

  const isOurs = await (look.validateResource ?? isResourceOf)(resource, look.resource);
  if (isOurs !== true) {
    const flaw = mismatch(resource, look);
    if (look.onFlaw === undefined) throw flaw;
    look.onFlaw(flaw);
  }
  const issuers = (authorization_servers ?? []).map((issuer) => serverText(issuer, LONGEST_IDENTIFIER_CHARACTERS));
  const scopes = scopes_supported?.filter(isScopeToken);
  return {
    outcome: 'found',
    document: {
      resource,
      authorization_servers: [...new Set(issuers.filter((issuer) => issuer !== undefined))],
      ...(scopes && { scopes_supported: [...new Set(scopes)] }),
    },
    probe: sight.probe,
    ...sight.validity,
  };
}

function mismatch(documentResource: string, look: ResourceMetadataLook): FailureError {
  const received = serverText(documentResource, LONGEST_IDENTIFIER_CHARACTERS) ?? '';
  return new FailureError('resource_mismatch', 'resource-metadata', {
    resource: look.resource,
    expected: look.resource,
    received,
    url: withoutQuery(look.url),
    reason: `It names "${received}", the resource is "${look.resource}".`,
  });
}

/** Why a candidate is not even asked for; only one that a challenge named can be like that. */
function reasonAgainst(url: string, resource: string): string | undefined {
  const parsed = webUrl(url);
  if (parsed === undefined) return 'The challenge names it as resource_metadata, but it is not an absolute http or https URL.';
  // A resource configured with plain http (a closed network) has its metadata next to it.
  if (!isSafeEndpoint(url) && parsed.origin !== new URL(resource).origin) return 'It is plain http on another host.';
  return undefined;
}
