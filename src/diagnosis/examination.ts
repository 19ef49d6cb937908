/** What every part of a diagnosis works with: its subject, and looks that never throw for what a server did. */
import { FailureError } from '../failure.ts';
import type { Limits } from '../limits.ts';
import type { IssuerPolicy } from '../options.ts';
import type { Looked, Probe } from '../protocol/documents.ts';
import { withoutQuery } from '../protocol/endpoint-url.ts';
import type { UrlCheck } from '../protocol/server-urls.ts';
import { type Finding, ofFailure } from './findings.ts';

export interface Examination {
  /** The canonical resource identifier. */
  readonly resource: string;
  readonly protocolVersion: string;
  readonly limits: Limits;
  readonly issuers: Readonly<Record<string, IssuerPolicy>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal: AbortSignal | undefined;
  /** What `http` asks before each request, for URLs that a diagnosis does not request. */
  readonly checkUrl: UrlCheck;
}

/** What the looks at the candidates gave: the document, also a flawed one, and every reason why a client would stop. */
export interface Sightings<Document> {
  readonly probes: readonly Probe[];
  readonly failures: readonly Finding[];
  /** Probes about which no failure says anything. */
  readonly untold: readonly Probe[];
  readonly document?: Document;
}

/** What a client stops at, as a finding; being cancelled is the caller's doing and no finding. */
export function failureIn(thrown: unknown): FailureError {
  if (!(thrown instanceof FailureError) || thrown.failure.code === 'cancelled') throw thrown;
  return thrown;
}

type Look<Document> = (url: string, onFlaw: (flaw: FailureError) => void) => Promise<Looked<Document>>;

/**
 * Goes through the candidates to the first that has the document.
 *
 * @param look one look, told where to leave flaws of the document
 */
export async function sightingsOf<Document>(
  kind: Probe['document'],
  urls: readonly string[],
  now: () => number,
  look: Look<Document>,
): Promise<Sightings<Document>> {
  const probes: Probe[] = [];
  const failures: Finding[] = [];
  const untold: Probe[] = [];
  for (const url of urls) {
    const seen = await sightingOf(kind, url, now, look);
    probes.push(seen.probe);
    failures.push(...seen.failures.map(({ failure }) => ofFailure(failure)));
    if (seen.failures.length === 0) untold.push(seen.probe);
    if (seen.document !== undefined) return { probes, failures, untold, document: seen.document };
  }
  return { probes, failures, untold };
}

async function sightingOf<Document>(
  kind: Probe['document'],
  url: string,
  now: () => number,
  look: Look<Document>,
): Promise<{ readonly probe: Probe; readonly failures: readonly FailureError[]; readonly document?: Document }> {
  const startedAt = now();
  const flaws: FailureError[] = [];
  try {
    const looked = await look(url, (flaw) => flaws.push(flaw));
    const [first] = flaws;
    return {
      probe: first === undefined ? looked.probe : { ...looked.probe, verdict: 'invalid', reason: first.failure.message },
      failures: flaws,
      ...(looked.outcome === 'found' && { document: looked.document }),
    };
  } catch (thrown) {
    const failed = failureIn(thrown);
    return { probe: unavailableProbe(kind, url, failed.failure, now() - startedAt), failures: [failed] };
  }
}

export function unavailableProbe(
  document: Probe['document'],
  url: string,
  { code, details, message }: FailureError['failure'],
  durationMs: number,
): Probe {
  return {
    document,
    url: withoutQuery(url),
    durationMs,
    verdict: code === 'url_refused_by_policy' ? 'refused' : 'unavailable',
    reason: details.reason ?? message,
    ...(details.status !== undefined && { status: details.status }),
  };
}
