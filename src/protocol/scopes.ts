/**
 * Scope values: RFC 6749 section 3.3, the scope selection strategy of the MCP
 * authorization page, SEP-2207 (`offline_access`), SEP-2350 (the union).
 *
 * Scopes travel as lists of tokens in the order in which they were first named,
 * so that the same wishes always give the same request. No token is ever dropped
 * because another one seems to include it: only the authorization server knows
 * its hierarchy. Pure: no I/O, no clock.
 */

/** Every place that can name scopes, each absent where it names none. */
export interface ScopeSources {
  /** What the embedder insists on; an empty one asks for no scope at all. */
  readonly override?: string | readonly string[] | undefined;
  /** Scopes of the challenge (401 or 403). */
  readonly challenge?: readonly string[] | undefined;
  /** `scopes_supported` of the protected resource metadata. */
  readonly resourceMetadata?: readonly string[] | undefined;
  /** `scopes_supported` of the authorization server metadata. */
  readonly serverMetadata?: readonly string[] | undefined;
  /** Counts the authorization server's scopes as a source (`IssuerPolicy.useServerScopes`). */
  readonly useServerScopes?: boolean | undefined;
  /** `scope` of the client metadata. */
  readonly clientMetadata?: string | undefined;
  /** The client registers for refresh tokens and wants one. */
  readonly offlineAccess?: boolean | undefined;
}

const OFFLINE_ACCESS = 'offline_access';

/** The tokens of a `scope` value, each once, in the order given. */
export function parseScope(scope: string): readonly string[] {
  return [...new Set(scope.split(/\s+/).filter((token) => token !== ''))];
}

/**
 * The scopes to ask for, or `undefined` for no `scope` parameter (SCO-01): the
 * embedder's override, else the challenge, else the resource's, else (by option)
 * the authorization server's, else those of the client metadata.
 *
 * `offline_access` joins them only when the authorization server advertises it
 * and the client registers for refresh tokens (SCO-02). It is not added to an
 * absent scope: alone it would replace the server's default scopes.
 */
export function selectScopes(sources: ScopeSources): readonly string[] | undefined {
  const selected = firstNamed(sources);
  if (selected.length === 0) return undefined;
  const advertised = sources.serverMetadata?.includes(OFFLINE_ACCESS) === true;
  return sources.offlineAccess === true && advertised ? scopeUnion(selected, [OFFLINE_ACCESS]) : selected;
}

function firstNamed(sources: ScopeSources): readonly string[] {
  const { override } = sources;
  if (override !== undefined) return typeof override === 'string' ? parseScope(override) : scopeUnion(override);
  const candidates = [
    sources.challenge,
    sources.resourceMetadata,
    // The authorization server's list serves all its resources: asking for all of
    // it breaks least privilege, so it counts only where the embedder says so.
    // offline_access in it says nothing about this resource: see selectScopes.
    sources.useServerScopes === true ? missingScopes(sources.serverMetadata, [OFFLINE_ACCESS]) : undefined,
    parseScope(sources.clientMetadata ?? ''),
  ];
  const named = candidates.find((scopes) => scopes !== undefined && scopes.length > 0);
  return scopeUnion(named);
}

/**
 * `consent` when offline access is asked for: OpenID Connect Core section 11 lets
 * the authorization server ignore `offline_access` without it (SCO-02).
 */
export function promptFor(scopes: readonly string[] | undefined): 'consent' | undefined {
  return scopes?.includes(OFFLINE_ACCESS) === true ? 'consent' : undefined;
}

/** Every token of every list once, in the order first seen (SCO-04). */
export function scopeUnion(...lists: readonly (readonly string[] | undefined)[]): readonly string[] {
  return [...new Set(lists.flatMap((list) => list ?? []))];
}

/** The wanted scopes that were not granted, in the order wanted; an unknown grant holds none. */
export function missingScopes(wanted: readonly string[] | undefined, granted: readonly string[] | undefined): readonly string[] {
  return (wanted ?? []).filter((scope) => granted?.includes(scope) !== true);
}

/**
 * The scopes a token has: those of the token response, else (SCO-03) those it was
 * asked for with. For an exchange that is the requested scope (RFC 6749 section
 * 5.1), for a refresh the scope of the token before it (section 6).
 */
export function grantedScopes(
  issued: readonly string[] | undefined,
  requestedOrPrevious: readonly string[] | undefined,
): readonly string[] {
  return issued ?? requestedOrPrevious ?? [];
}
