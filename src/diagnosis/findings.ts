/**
 * What is said about what was found: plain words, and the rule they stand on.
 * Pure: no I/O. `MCP` means the authorization pages of revision 2026-07-28.
 */
import type { Failure, FailureCode } from '../failure.ts';
import type { IssuerPolicy } from '../options.ts';
import type { ChallengeFacts, Probe, ResourceMetadata, ServerMetadata } from '../protocol/documents.ts';
import { isSafeEndpoint, withoutQuery } from '../protocol/endpoint-url.ts';
import { problemsOfUse } from '../protocol/server-metadata.ts';

export interface Finding {
  /** `error`: clients cannot authorize. `warning`: a rule is broken, or some clients fail. `info`: good to know. */
  readonly level: 'error' | 'warning' | 'info';
  /** Where the rule is written, `RFC 8414 section 3.3` for example. */
  readonly rule: string;
  /** One or two sentences in plain English. */
  readonly text: string;
}

const error = (rule: string, text: string): Finding => ({ level: 'error', rule, text });
const warning = (rule: string, text: string): Finding => ({ level: 'warning', rule, text });
const info = (rule: string, text: string): Finding => ({ level: 'info', rule, text });

const OFFLINE_ACCESS_RULE = 'MCP: Refresh Tokens';
const REGISTRATION_RULE = 'MCP: Client Registration';
const SERVER_URLS_RULE = 'MCP Security Best Practices: Server-Side Request Forgery';

/** The rule that a failure breaks, by its code; network failures break the one that wants a document there. */
const RULES: Partial<Record<FailureCode, string>> = {
  resource_mismatch: 'RFC 9728 section 3.3',
  issuer_mismatch: 'RFC 8414 section 3.3',
  endpoint_refused: 'MCP: Communication Security',
  pkce_not_supported: 'MCP: Authorization Code Protection',
  metadata_incomplete: 'RFC 8414 section 2',
  url_refused_by_policy: SERVER_URLS_RULE,
};

export function ofFailure(failure: Failure): Finding {
  const { url } = failure.details;
  const shown = failure.code === 'url_refused_by_policy' && url !== undefined ? URL.parse(url)?.origin : url;
  const where = shown === undefined ? '' : ` (${shown})`;
  const rule = RULES[failure.code] ?? (failure.phase === 'server-metadata' ? 'RFC 8414 section 3' : 'RFC 9728 section 3');
  const status = failure.details.status === undefined ? '' : ` It answered ${failure.details.status}.`;
  return error(rule, `${failure.message}${status}${where}`);
}

/** About the resource's answer to a request without an access token. */
export function ofChallenge(status: number, challenge: ChallengeFacts | undefined): readonly Finding[] {
  const found: Finding[] = [];
  if (status === 403) {
    found.push(
      warning('MCP: Error Handling', 'The resource answers 403 where no access token was sent; 401 is what makes a client authorize.'),
    );
  }
  if (challenge === undefined) {
    found.push(
      warning(
        'RFC 6750 section 3',
        `The ${status} has no WWW-Authenticate header with a Bearer challenge, so clients have to guess where the metadata is.`,
      ),
    );
    return found;
  }
  if (challenge.resourceMetadataUrl === undefined) {
    found.push(info('RFC 9728 section 5.1', 'The challenge does not name resource_metadata; clients look at the well-known URIs.'));
  }
  if (challenge.scopes === undefined) {
    found.push(
      info(
        'MCP: Scope Selection Strategy',
        'The challenge names no scope; clients ask for all scopes of the metadata, or for none in particular.',
      ),
    );
  } else if (challenge.scopes.includes('offline_access')) {
    found.push(
      warning(
        OFFLINE_ACCESS_RULE,
        'The challenge asks for offline_access, which is no requirement of a resource: clients ask for it where they want refresh tokens.',
      ),
    );
  }
  return found;
}

/** About the places where protected resource metadata was looked for. */
export function ofResourceProbes(probes: readonly Probe[], challengeUrl: string | undefined): readonly Finding[] {
  const shown = challengeUrl === undefined ? undefined : withoutQuery(challengeUrl);
  return probes.flatMap((probe): readonly Finding[] => {
    const { url, verdict, reason = 'It is not there.' } = probe;
    if (verdict === 'found') return probe.reason === undefined ? [] : [warning('RFC 9728 section 3.2', `${reason} (${url})`)];
    if (verdict === 'refused')
      return [warning(SERVER_URLS_RULE, `The challenge names ${url} as resource_metadata, where careful clients do not go. ${reason}`)];
    if (url === shown)
      return [warning('RFC 9728 section 5.1', `The challenge names ${url} as resource_metadata, but nothing usable is there. ${reason}`)];
    return verdict === 'invalid' ? [warning('RFC 9728 section 3.2', `${url} has no usable metadata. ${reason}`)] : [];
  });
}

export function noResourceMetadata(origin: string): Finding {
  return warning(
    'MCP: Protected Resource Metadata Discovery Requirements',
    `The resource publishes no protected resource metadata. Clients that still know revision 2025-03-26 take ${origin} for the authorization server, others give up.`,
  );
}

export function ofResourceMetadata(document: ResourceMetadata, resource: string): readonly Finding[] {
  const found: Finding[] = [];
  const own = new URL(resource);
  if (document.resource !== resource) {
    const bare = (url: URL): string => url.pathname.replace(/\/$/, '');
    const named = new URL(document.resource);
    const difference =
      bare(named) === bare(own)
        ? `The metadata spells the resource "${document.resource}", and not "${resource}"`
        : `The metadata is for ${withoutQuery(document.resource)}, a parent of ${withoutQuery(resource)}`;
    found.push(info('RFC 9728 section 3.3', `${difference}; clients that compare exactly refuse it.`));
  }
  if (document.authorization_servers.length === 0) {
    found.push(
      warning(
        'MCP: Authorization Server Location',
        `The metadata names no authorization server; clients can only try ${own.origin} itself.`,
      ),
    );
  } else if (document.authorization_servers.length > 1) {
    found.push(
      info(
        'RFC 9728 section 7.6',
        `The metadata names ${document.authorization_servers.length} authorization servers; clients choose, usually the first that works.`,
      ),
    );
  }
  if (document.scopes_supported?.includes('offline_access') === true) {
    found.push(
      warning(
        OFFLINE_ACCESS_RULE,
        'scopes_supported of the resource contains offline_access, which is no requirement of a resource: clients ask for it where they want refresh tokens.',
      ),
    );
  }
  return found;
}

export function plainHttp(resource: string): readonly Finding[] {
  if (isSafeEndpoint(resource)) return [];
  return [warning('OAuth 2.1 section 1.5', 'The resource is reached over plain http: anyone on the way can read the access token.')];
}

export function noServerMetadata(issuer: string, isLegacy: boolean): Finding {
  if (!isLegacy)
    return error('RFC 8414 section 3', `The authorization server ${issuer} publishes no metadata at any of its well-known URIs.`);
  return warning(
    'MCP 2025-03-26: Fallbacks',
    `${issuer} publishes no authorization server metadata; clients can only try /authorize, /token and /register there.`,
  );
}

/** About metadata that was found for an issuer; flaws of the document itself are failures of their own. */
export function ofServerMetadata(metadata: ServerMetadata, issuer: string, policy: IssuerPolicy | undefined): readonly Finding[] {
  return [
    ...problemsOfUse(metadata, policy).map(({ failure }) => ofFailure(failure)),
    ...ofRegistration(metadata),
    ...ofGrants(metadata),
    ...ofEndpointOrigins(metadata, issuer),
    ...(metadata.authorization_response_iss_parameter_supported === true
      ? []
      : [
          info(
            'RFC 9207 section 3',
            'The authorization server does not promise an iss parameter in its responses, which protects clients of several servers from mix-ups.',
          ),
        ]),
  ];
}

export function ofServerProbes(probes: readonly Probe[]): readonly Finding[] {
  return probes.flatMap(({ verdict, reason, url }) => {
    if (reason === undefined) return [];
    if (verdict === 'found') return [warning('RFC 8414 section 3.2', `${reason} (${url})`)];
    return verdict === 'invalid' ? [info('RFC 8414 section 3.2', `${url} has no usable metadata. ${reason}`)] : [];
  });
}

function ofRegistration(metadata: ServerMetadata): readonly Finding[] {
  const { token_endpoint_auth_methods_supported: methods } = metadata;
  const found: Finding[] = [];
  if (metadata.client_id_metadata_document_supported !== true) {
    found.push(
      metadata.registration_endpoint === undefined
        ? warning(
            REGISTRATION_RULE,
            'The authorization server supports neither client ID metadata documents nor dynamic registration: every user has to bring a client identifier.',
          )
        : info(REGISTRATION_RULE, 'Clients register dynamically, which is deprecated; client ID metadata documents are not supported.'),
    );
  } else if (methods?.some((method) => method === 'none' || method === 'private_key_jwt') === false) {
    found.push(
      warning(
        REGISTRATION_RULE,
        `Client ID metadata documents are supported, but clients without a secret are not: token_endpoint_auth_methods_supported has neither none nor private_key_jwt.`,
      ),
    );
  }
  return found;
}

function ofGrants({ grant_types_supported: grants }: ServerMetadata): readonly Finding[] {
  if (grants === undefined) return [];
  const found: Finding[] = [];
  if (!grants.includes('authorization_code'))
    found.push(warning('RFC 8414 section 2', 'grant_types_supported lacks authorization_code, the grant that users go through.'));
  if (!grants.includes('refresh_token'))
    found.push(info('MCP: Refresh Tokens', 'grant_types_supported lacks refresh_token: users log in again whenever a token expires.'));
  return found;
}

function ofEndpointOrigins(metadata: ServerMetadata, issuer: string): readonly Finding[] {
  const origin = URL.parse(issuer)?.origin;
  const elsewhere = (['authorization_endpoint', 'token_endpoint'] as const).filter((name) => {
    const endpoint = metadata[name];
    return endpoint !== undefined && new URL(endpoint).origin !== origin;
  });
  return elsewhere.map((name) =>
    info('RFC 8414 section 2', `${name} is on another origin than the issuer: ${withoutQuery(metadata[name] ?? '')}`),
  );
}
