/** Looks for protected resource metadata as a client does; what a client stops at becomes a finding. */
import type { Probe, ResourceMetadata } from '../protocol/documents.ts';
import type { Http } from '../protocol/http.ts';
import { lookForResourceMetadata } from '../protocol/resource-metadata.ts';
import { resourceMetadataUrls } from '../protocol/well-known.ts';
import { type Examination, sightingsOf } from './examination.ts';
import { type Finding, ofResourceMetadata, ofResourceProbes } from './findings.ts';

export interface ExaminedResource {
  readonly probes: readonly Probe[];
  readonly findings: readonly Finding[];
  readonly document?: ResourceMetadata;
  /** A look failed, so that the absence of a document says nothing. */
  readonly isUnknown: boolean;
}

export async function examineResource(http: Http, examination: Examination, challengeUrl: string | undefined): Promise<ExaminedResource> {
  const { resource, now } = examination;
  const { probes, failures, untold, document } = await sightingsOf(
    'resource-metadata',
    resourceMetadataUrls(resource, challengeUrl),
    now,
    (url, onFlaw) => lookForResourceMetadata(http, { ...examination, url, onFlaw }),
  );
  // How the resource is spelled is not worth a word where it is another resource.
  const about = document === undefined || failures.length > 0 ? [] : ofResourceMetadata(document, resource);
  return {
    probes,
    findings: [...failures, ...ofResourceProbes(untold, challengeUrl), ...about],
    isUnknown: document === undefined && failures.length > 0,
    ...(document && { document }),
  };
}
