/** Reads the identity provider's metadata at start: a mistake shows now, and not to the first person who signs in. */
import type { Clock } from '../../clock.ts';
import { type Failure, FailureError, failureOf } from '../../failure.ts';
import { gatewayHttp } from '../../gateway/gateway-http.ts';
import type { ServerMetadata } from '../../protocol/documents.ts';
import { lookForServerMetadata } from '../../protocol/server-metadata.ts';
import { serverMetadataUrls } from '../../protocol/well-known.ts';

export type UpstreamLook =
  | { readonly outcome: 'found'; readonly metadata: ServerMetadata }
  | { readonly outcome: 'unavailable' | 'wrong'; readonly failure: Failure };

const NEWEST_REVISION = '2026-07-28';

/** `unavailable`: an outage, which must not keep the gateway from starting again. */
export async function lookUpstream(issuer: string, clock: Clock): Promise<UpstreamLook> {
  const http = gatewayHttp({ fetch: undefined, clock, logger: undefined, configured: [issuer] });
  try {
    for (const url of serverMetadataUrls(issuer)) {
      const looked = await lookForServerMetadata(http, { url, issuer, protocolVersion: NEWEST_REVISION, now: () => clock.now() });
      if (looked.outcome === 'found') return { outcome: 'found', metadata: looked.document };
    }
    throw new FailureError('metadata_incomplete', 'server-metadata', { issuer, reason: 'The identity provider publishes no metadata.' });
  } catch (thrown) {
    const failure = failureOf(thrown, 'server-metadata');
    return { outcome: failure.retryable ? 'unavailable' : 'wrong', failure };
  }
}
