/** What a diagnosis comes to. */
import type { ServerMetadata } from '../protocol/documents.ts';
import type { Demand } from './ask-resource.ts';
import type { Finding } from './findings.ts';

/**
 * `ready`: nothing to mend. `usable`: clients can authorize, and something is not
 * as it should be. `broken`: they cannot. `open`: no authorization is asked for.
 */
export type Verdict = 'ready' | 'usable' | 'broken' | 'open';

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

export function verdictOf(demand: Demand, findings: readonly Finding[]): Verdict {
  if (demand.demand === 'none') return 'open';
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

/** @param findings in order */
export function summaryOf(
  verdict: Verdict,
  findings: readonly Finding[],
  issuer: string | undefined,
  registration: Registration | undefined,
): string {
  const [first] = findings;
  if (verdict === 'open') return 'Open: the resource answers without an access token.';
  if (verdict === 'broken') return `Broken: ${first?.text ?? ''}`;
  const way = `clients authorize at ${issuer ?? 'an unknown issuer'} ${registration === undefined ? '' : WAYS[registration]}`.trim();
  if (verdict === 'ready') return `Ready: ${way}.`;
  const count = findings.filter(({ level }) => level === 'warning').length;
  return `Usable: ${way}; ${count === 1 ? 'one thing is not as it should be' : `${count} things are not as they should be`}.`;
}
