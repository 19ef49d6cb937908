/**
 * The diagnosis of a resource (OBS-05): asks what a client would ask, in the same
 * order and by the same rules, but goes on past what a client stops at, so that
 * one run lists as much as can be known. It authorizes nothing and stores nothing.
 */
import { type Clock, systemClock } from './clock.ts';
import { askResource, type Demand } from './diagnosis/ask-resource.ts';
import type { Examination } from './diagnosis/examination.ts';
import { type ExaminedResource, examineResource } from './diagnosis/examine-resource.ts';
import { type ExaminedServers, examineServers } from './diagnosis/examine-servers.ts';
import { type Finding, noResourceMetadata, plainHttp } from './diagnosis/findings.ts';
import { inOrder, type Registration, registrationAt, summaryOf, type Verdict, verdictOf } from './diagnosis/verdict.ts';
import { toAuthorizationError } from './errors.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import type { AuthorizationClientOptions, FetchLike, IssuerPolicy, ServerUrlExceptions, ServerUrlRule } from './options.ts';
import type { ChallengeFacts, Probe, ResourceMetadata, ServerMetadata } from './protocol/documents.ts';
import { createHttp, type Http } from './protocol/http.ts';
import { parseWithoutEval } from './protocol/no-eval.ts';
import { canonicalResource } from './protocol/resource-identifier.ts';
import { createUrlCheck } from './protocol/server-urls.ts';
import { PROTOCOL_VERSION } from './settings.ts';

export interface DiscoverOptions {
  /** The URL of the MCP server, or of another protected resource. */
  readonly resource: string | URL;
  /** Used for every request. Default: the platform's. */
  readonly fetch?: FetchLike;
  /** Times and sizes, as for a client. Default: those of a client. */
  readonly limits?: Partial<Limits>;
  /** Sent as `MCP-Protocol-Version`. Default: the newest revision authchart knows. */
  readonly protocolVersion?: string;
  /** Where servers may send the diagnosis, as for a client. Default `standard`. */
  readonly serverUrls?: ServerUrlRule | ServerUrlExceptions;
  /** Asked before each URL that a server names; the resource is the caller's own. Default: yes. */
  readonly allowUrl?: NonNullable<AuthorizationClientOptions['allowUrl']>;
  /** Exceptions by issuer identifier, as for a client. Default: none. */
  readonly issuers?: Readonly<Record<string, IssuerPolicy>>;
  /** Tells the time, and waits. Default: the system's clock. */
  readonly clock?: Clock;
  /** Ends it with `cancelled`. Default: none. */
  readonly signal?: AbortSignal;
}

export interface Diagnosis {
  /** The canonical resource identifier. */
  readonly resource: string;
  /** Whether a client can sign in: `ready`, `usable`, `broken`, `unavailable` where nobody answered, or `open` where nobody has to. */
  readonly verdict: Verdict;
  /** The verdict in one sentence. */
  readonly summary: string;
  /** Every look in its order. */
  readonly probes: readonly Probe[];
  /** Errors first. */
  readonly findings: readonly Finding[];
  /** Of the answer without a token. */
  readonly challenge?: ChallengeFacts;
  /** What the resource says of itself. */
  readonly resourceMetadata?: ResourceMetadata;
  /** The authorization server a client would use; if none can be used, the first that says anything. */
  readonly issuer?: string;
  /** What that one says of itself. */
  readonly serverMetadata?: ServerMetadata;
  /** How a client without prior arrangement gets its identifier there: by `metadata-document`, `dynamic`, or it has to be `pre-registered`. */
  readonly registration?: Registration;
}

/**
 * @throws AuthorizationError `invalid_configuration` for what is no resource
 *   identifier, `cancelled`; whatever servers do wrong is a finding
 */
export async function discover(options: DiscoverOptions): Promise<Diagnosis> {
  try {
    return await diagnose(options);
  } catch (error) {
    throw toAuthorizationError(error, 'resource-metadata');
  }
}

async function diagnose(options: DiscoverOptions): Promise<Diagnosis> {
  const { clock = systemClock, fetch = (input, init) => globalThis.fetch(input, init) } = options;
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const resource = canonicalResource(options.resource);
  const checkUrl = createUrlCheck({ ...options, resource, limits });
  const examination: Examination = {
    resource,
    checkUrl,
    protocolVersion: options.protocolVersion ?? PROTOCOL_VERSION,
    limits,
    issuers: options.issuers ?? {},
    now: () => clock.now(),
    signal: options.signal,
  };
  parseWithoutEval();
  const http = createHttp({ fetch, limits, checkUrl });

  const asked = await askResource(createHttp({ fetch, limits, checkUrl: createUrlCheck({ resource, limits }) }), examination);
  const challenge = asked.demand.demand === 'token' ? asked.demand.challenge : undefined;
  // Whatever else there is lives on the same host or is named by it: every look would wait in vain.
  const isReachable = asked.demand.demand !== 'unreachable';
  const metadata = isReachable ? await examineResource(http, examination, challenge?.resourceMetadataUrl) : undefined;
  const servers = metadata && (await serversOf(http, examination, asked.demand, metadata));

  const parts = [asked, metadata, servers].filter((part) => part !== undefined);
  const findings = inOrder([...plainHttp(examination.resource), ...parts.flatMap((part) => part.findings)]);
  const probes = parts.flatMap((part) => part.probes);
  const verdict = verdictOf(asked.demand, probes, findings);
  const registration = servers?.metadata && registrationAt(servers.metadata);
  return {
    resource: examination.resource,
    verdict,
    summary: summaryOf({ verdict, probes, findings, issuer: servers?.issuer, registration }),
    probes,
    findings,
    ...(challenge && { challenge }),
    ...(metadata?.document && { resourceMetadata: metadata.document }),
    ...(servers?.issuer !== undefined && { issuer: servers.issuer }),
    ...(servers?.metadata && { serverMetadata: servers.metadata }),
    ...(registration && { registration }),
  };
}

/** The authorization servers the metadata names, else, where a token is asked for, the resource's own origin (PRM-05). */
async function serversOf(
  http: Http,
  examination: Examination,
  demand: Demand,
  metadata: ExaminedResource,
): Promise<ExaminedServers | undefined> {
  const { document, isUnknown } = metadata;
  if (document !== undefined && document.authorization_servers.length > 0) {
    return examineServers(http, examination, document.authorization_servers, false);
  }
  if (isUnknown || (document === undefined && demand.demand !== 'token')) return undefined;
  const { origin } = new URL(examination.resource);
  const servers = await examineServers(http, examination, [origin], true);
  return document === undefined ? { ...servers, findings: [noResourceMetadata(origin), ...servers.findings] } : servers;
}
