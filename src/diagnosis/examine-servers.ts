/** Looks at the authorization servers of a resource in the client's order, until one can be used. */
import type { Probe, ServerMetadata } from '../protocol/documents.ts';
import type { Http } from '../protocol/http.ts';
import { refusedEndpoints } from '../protocol/server-endpoint.ts';
import { legacyServerMetadata, lookForServerMetadata } from '../protocol/server-metadata.ts';
import { serverMetadataUrls } from '../protocol/well-known.ts';
import { type Examination, failureIn, sightingsOf } from './examination.ts';
import { type Finding, noServerMetadata, ofFailure, ofServerMetadata, ofServerProbes } from './findings.ts';

export interface ExaminedServer {
  readonly issuer: string;
  readonly probes: readonly Probe[];
  readonly findings: readonly Finding[];
  readonly metadata?: ServerMetadata;
}

export interface ExaminedServers {
  readonly probes: readonly Probe[];
  readonly findings: readonly Finding[];
  /** The one a client would use; if none can be used, the first that has metadata. */
  readonly issuer?: string;
  readonly metadata?: ServerMetadata;
}

const isBroken = (server: ExaminedServer): boolean => server.findings.some(({ level }) => level === 'error');

/** @param isLegacy the resource names none, and `issuers` is its own origin (PRM-05) */
export async function examineServers(
  http: Http,
  examination: Examination,
  issuers: readonly string[],
  isLegacy: boolean,
): Promise<ExaminedServers> {
  const examined: ExaminedServer[] = [];
  for (const issuer of issuers.slice(0, examination.limits.authorizationServersTried)) {
    const server = await examineServer(http, examination, issuer, isLegacy);
    examined.push(server);
    if (!isBroken(server)) break;
  }
  const usable = examined.find((server) => !isBroken(server));
  const shown = usable ?? examined.find((server) => server.metadata !== undefined) ?? examined[0];
  return {
    probes: examined.flatMap((server) => server.probes),
    findings: examined.flatMap((server) =>
      server.findings.map((finding) => told(finding, server, { usable, isOneOfMany: issuers.length > 1 })),
    ),
    ...(shown && { issuer: shown.issuer }),
    ...(shown?.metadata && { metadata: shown.metadata }),
  };
}

/** Clients get past a broken server if another works, so that its errors are warnings then. */
function told(
  finding: Finding,
  server: ExaminedServer,
  among: { readonly usable: ExaminedServer | undefined; readonly isOneOfMany: boolean },
): Finding {
  const level = finding.level === 'error' && among.usable !== undefined ? 'warning' : finding.level;
  return { ...finding, level, text: among.isOneOfMany ? `${server.issuer}: ${finding.text}` : finding.text };
}

async function examineServer(http: Http, examination: Examination, issuer: string, isLegacy: boolean): Promise<ExaminedServer> {
  const policy = examination.issuers[issuer];
  const { urls, problems } = candidatesOf(issuer);
  const { probes, failures, untold, document } = await sightingsOf('server-metadata', urls, examination.now, (url, onFlaw) =>
    lookForServerMetadata(http, { ...examination, issuer, policy, url, onFlaw }),
  );
  const findings = [...problems, ...failures, ...ofServerProbes(untold)];
  if (document !== undefined) {
    const refused = await refusedEndpoints(document, examination.checkUrl);
    const about = [...ofServerMetadata(document, issuer, policy), ...refused.map(({ failure }) => ofFailure(failure))];
    return { issuer, probes, findings: [...findings, ...about], metadata: document };
  }
  // What could not be read may well be there.
  if (problems.length + failures.length > 0) return { issuer, probes, findings };
  return {
    issuer,
    probes,
    findings: [noServerMetadata(issuer, isLegacy), ...findings],
    ...(isLegacy && { metadata: legacyServerMetadata(issuer) }),
  };
}

function candidatesOf(issuer: string): { readonly urls: readonly string[]; readonly problems: readonly Finding[] } {
  try {
    return { urls: serverMetadataUrls(issuer), problems: [] };
  } catch (thrown) {
    return { urls: [], problems: [{ ...ofFailure(failureIn(thrown).failure), rule: 'RFC 8414 section 2' }] };
  }
}
