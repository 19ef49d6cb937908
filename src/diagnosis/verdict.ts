/** What a diagnosis comes to. */
import type { Probe, ServerMetadata } from '../protocol/documents.ts';
import type { Demand } from './ask-resource.ts';
import type { Finding } from './findings.ts';

/**
 * `ready`: nothing to mend. `usable`: clients can authorize, and something is not
 * as it should be. `broken`: they cannot. `unavailable`: nobody answered, or only to
 * say that it fails, so that nobody knows. `open`: no authorization is asked for.
 */
export type Verdict = 'ready' | 'usable' | 'broken' | 'unavailable' | 'open';

/** How a client without prior arrangement gets its identifier. */
export type Registration = 'metadata-document' | 'dynamic' | 'pre-registered';

const LEVELS = ['error', 'warning', 'info'] as const;

/** Each once, errors first; within a level in the order in which a client meets them. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  // The candidates of one issuer may all be flawed in one way.
  const isFirst = ({ rule, text }: Finding, index: number): boolean =>
    findings.findIndex((other) => other.rule === rule && other.text === text) === index;
  const once = findings.filter(isFirst);
  return LEVELS.flatMap((level) => once.filter((finding) => finding.level === level));
}

export function verdictOf(demand: Demand, probes: readonly Probe[], findings: readonly Finding[]): Verdict {
  if (demand.demand === 'none') return 'open';
  // No rule is broken by a server that is down.
  if (probes.length > 0 && probes.every((probe) => probe.verdict === 'unavailable')) return 'unavailable';
  if (findings.some(({ level }) => level === 'error')) return 'broken';
  return findings.some(({ level }) => level === 'warning') ? 'usable' : 'ready';
}

export function registrationAt(metadata: ServerMetadata): Registration {
  if (metadata.client_id_metadata_document_supported === true) return 'metadata-document';
  return metadata.registration_endpoint === undefined ? 'pre-registered' : 'dynamic';
}

const WAYS: Record<Registration, string> = {
  'metadata-document': 'with a client ID metadata document',
  dynamic: 'by registering dynamically',
  'pre-registered': 'with a client identifier that is registered beforehand',
};

export interface Outcome {
  readonly verdict: Verdict;
  readonly probes: readonly Probe[];
  /** In order. */
  readonly findings: readonly Finding[];
  readonly issuer: string | undefined;
  readonly registration: Registration | undefined;
}

export function summaryOf({ verdict, probes, findings, issuer, registration }: Outcome): string {
  const [first] = findings;
  if (verdict === 'open') return 'Open: the resource answers without an access token.';
  if (verdict === 'broken') return `Broken: ${first?.text ?? ''}`;
  if (verdict === 'unavailable') return unavailable(probes);
  const way = `clients authorize at ${issuer ?? 'an unknown issuer'} ${registration === undefined ? '' : WAYS[registration]}`.trim();
  if (verdict === 'ready') return `Ready: ${way}.`;
  const count = findings.filter(({ level }) => level === 'warning').length;
  return `Usable: ${way}; ${count === 1 ? 'one thing is not as it should be' : `${count} things are not as they should be`}.`;
}

function unavailable(probes: readonly Probe[]): string {
  const statuses = [...new Set(probes.flatMap(({ status }) => status ?? []))];
  if (statuses.length === 0) {
    return 'Nothing answered: see that the server runs, and that the URL and the network are right, then try again.';
  }
  return `Unavailable: the server answers with failures of its own (${statuses.join(', ')}); try again later, or ask its operator.`;
}
