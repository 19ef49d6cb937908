/**
 * Authorization server metadata, RFC 8414 and OpenID Connect Discovery: is it at
 * this URL, does it belong to this issuer, may its endpoints be used, can the flow
 * work with it? One call is one candidate of `serverMetadataUrls`.
 *
 * Left out: `signed_metadata` (section 2.1), and all that OpenID Connect asks of a
 * document at its location beyond what OAuth needs (ASM-06).
 */
import * as z from 'zod/mini';
import { FailureError } from '../failure.ts';
import type { IssuerPolicy } from '../options.ts';
import type { Looked, ServerMetadata } from './documents.ts';
import { isSafeEndpoint, withoutQuery } from './endpoint-url.ts';
import type { Http } from './http.ts';
import { invalidMembers, lookAt } from './metadata-look.ts';
import { isScopeToken } from './scope-token.ts';
import { serverText } from './server-text.ts';

const ENDPOINTS = [
  'authorization_endpoint',
  'token_endpoint',
  'registration_endpoint',
  'revocation_endpoint',
  'pushed_authorization_request_endpoint',
  'device_authorization_endpoint',
] as const;

// A member of the wrong type says nothing: it counts as absent, like the null of many encoders.
// Where its absence matters (PKCE), the flow refuses for that reason.
const list = z.catch(z.optional(z.array(z.string())), undefined);
/** Anything at all: what it is decides whether it is refused, see `trimmed`. */
const endpoint = z.optional(z.unknown());
const flag = z.catch(z.optional(z.boolean()), undefined);

const documentSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: endpoint,
  token_endpoint: endpoint,
  registration_endpoint: endpoint,
  revocation_endpoint: endpoint,
  pushed_authorization_request_endpoint: endpoint,
  device_authorization_endpoint: endpoint,
  require_pushed_authorization_requests: flag,
  scopes_supported: list,
  grant_types_supported: list,
  code_challenge_methods_supported: list,
  token_endpoint_auth_methods_supported: list,
  token_endpoint_auth_signing_alg_values_supported: list,
  authorization_response_iss_parameter_supported: flag,
  client_id_metadata_document_supported: flag,
});

export interface ServerMetadataLook {
  /** A candidate of `serverMetadataUrls`. */
  readonly url: string;
  /** The identifier the URL was built from. */
  readonly issuer: string;
  readonly policy?: IssuerPolicy | undefined;
  readonly protocolVersion: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A stale document and its validator: found again if the server says that it has not changed (ASM-07). */
  readonly cached?: { readonly document: ServerMetadata; readonly etag: string } | undefined;
  /** Told of what would be thrown about the document itself, and the look goes on: for a diagnosis only. */
  readonly onFlaw?: ((flaw: FailureError) => void) | undefined;
}

/**
 * `absent` for 4xx, for 502 (gateways answer so for what they do not have), for
 * redirects to elsewhere, and for what is not valid metadata (ASM-02).
 *
 * @throws FailureError `issuer_mismatch` (ASM-03), `endpoint_refused` (ASM-04),
 *   `server_unavailable` for 429 and other 5xx, and what `Http` throws
 */
export async function lookForServerMetadata(http: Http, look: ServerMetadataLook): Promise<Looked<ServerMetadata>> {
  const { url, issuer, policy, protocolVersion, signal, now } = look;
  // Never across issuers: a validator of another's document would let it stand in for this one.
  const cached = look.cached !== undefined && isIssuer(look.cached.document.issuer, issuer, policy) ? look.cached : undefined;
  const sight = await lookAt(http, {
    url,
    document: 'server-metadata',
    protocolVersion,
    signal,
    now,
    etag: cached?.etag,
    absentStatuses: [502],
  });
  if (sight.seen === 'unchanged' && cached !== undefined) {
    return { outcome: 'found', document: cached.document, probe: sight.probe, etag: cached.etag, ...sight.validity };
  }
  if (sight.seen !== 'object') return { outcome: 'absent', probe: sight.probe };

  const parsed = documentSchema.safeParse(sight.object);
  if (!parsed.success)
    return { outcome: 'absent', probe: { ...sight.probe, verdict: 'invalid', reason: invalidMembers(parsed.error.issues) } };
  const flaw = look.onFlaw ?? throwIt;
  const document = parsed.data;
  if (!isIssuer(document.issuer, issuer, policy)) flaw(mismatch(document.issuer, issuer, url));
  return { outcome: 'found', document: trimmed(document, issuer, url, flaw), probe: sight.probe, ...sight.validity };
}

/** Identical strings (RFC 8414 section 3.3); by policy also when only the slash of a path-less issuer differs (ASM-03). */
function isIssuer(documentIssuer: string, issuer: string, policy: IssuerPolicy | undefined): boolean {
  if (documentIssuer === issuer) return true;
  if (policy?.tolerateTrailingSlash !== true) return false;
  const bare = (identifier: string): string => identifier.replace(/\/$/, '');
  return bare(documentIssuer) === bare(issuer) && URL.parse(issuer)?.pathname === '/';
}

function mismatch(documentIssuer: string, issuer: string, url: string): FailureError {
  const received = serverText(documentIssuer) ?? '';
  return new FailureError('issuer_mismatch', 'server-metadata', {
    issuer,
    expected: issuer,
    received,
    url: withoutQuery(url),
    reason: `It was fetched for "${issuer}" and names "${received}".`,
  });
}

/** Only the members the flow knows, so that stored metadata stays small; endpoints only where they are safe (ASM-04). */
function trimmed(
  document: z.infer<typeof documentSchema>,
  issuer: string,
  url: string,
  flaw: (flaw: FailureError) => void,
): ServerMetadata {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(document)) if (value !== undefined) kept[name] = value;
  // They may be asked for and shown; one that holds a space would be two.
  if (document.scopes_supported !== undefined) kept['scopes_supported'] = document.scopes_supported.filter(isScopeToken);
  const refused: string[] = [];
  for (const name of ENDPOINTS) {
    const endpoint = document[name];
    if (isSafeEndpoint(endpoint)) continue;
    delete kept[name];
    // Encoders without "omit if empty" write null or "" for an endpoint they do not have.
    if (endpoint === undefined || endpoint === null || endpoint === '') continue;
    refused.push(typeof endpoint === 'string' ? `${name} is "${withoutQuery(endpoint)}"` : `${name} is not a string`);
  }
  if (refused.length > 0) {
    flaw(
      new FailureError('endpoint_refused', 'server-metadata', {
        issuer,
        url: withoutQuery(url),
        problems: refused,
        reason: `${refused.join('; ')}.`,
      }),
    );
  }
  return kept as unknown as ServerMetadata;
}

/**
 * Why the flow cannot work with this metadata: `pkce_not_supported` (MCP
 * "Authorization Code Protection"), `metadata_incomplete`; empty if it can.
 */
export function problemsOfUse(metadata: ServerMetadata, policy?: IssuerPolicy): readonly FailureError[] {
  const { issuer, code_challenge_methods_supported: methods } = metadata;
  const problems: FailureError[] = [];
  const missing = (['authorization_endpoint', 'token_endpoint'] as const).filter((name) => metadata[name] === undefined);
  if (missing.length > 0) {
    problems.push(
      new FailureError('metadata_incomplete', 'server-metadata', {
        issuer,
        problems: missing,
        reason: `It has no ${missing.join(' and no ')}.`,
      }),
    );
  }
  // The override is for servers that say nothing; one that lists other methods has said no.
  const hasPkce = methods === undefined ? policy?.assumePkce === true : methods.includes('S256');
  if (!hasPkce) {
    const reason =
      methods === undefined
        ? 'code_challenge_methods_supported is absent.'
        : `code_challenge_methods_supported is [${serverText(methods.join(', ')) ?? ''}].`;
    problems.push(new FailureError('pkce_not_supported', 'server-metadata', { issuer, reason }));
  }
  return problems;
}

/** @throws FailureError `metadata_incomplete`, `pkce_not_supported` (ASM-05) */
export function checkUsable(metadata: ServerMetadata, policy?: IssuerPolicy): void {
  const [problem] = problemsOfUse(metadata, policy);
  if (problem !== undefined) throw problem;
}

/**
 * What the MCP revision 2025-03-26 assumes of a resource that is its own
 * authorization server and publishes nothing (PRM-05). PKCE was mandatory there.
 *
 * @param origin the resource's origin, without slash
 */
export function legacyServerMetadata(origin: string): ServerMetadata {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    registration_endpoint: `${origin}/register`,
    code_challenge_methods_supported: ['S256'],
  };
}

function throwIt(flaw: FailureError): never {
  throw flaw;
}
