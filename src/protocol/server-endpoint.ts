/** The endpoints the flow goes to, checked before each use (ASM-04). */
import { FailureError, type Phase } from '../failure.ts';
import type { ServerMetadata } from './documents.ts';
import { isSafeEndpoint, withoutQuery } from './endpoint-url.ts';
import type { UrlCheck } from './server-urls.ts';

/**
 * @throws FailureError `metadata_incomplete` where the authorization server has no
 *   such endpoint, `endpoint_refused` for one that is neither https nor http on loopback.
 */
export function serverEndpoint(
  metadata: ServerMetadata,
  name: 'authorization_endpoint' | 'token_endpoint' | 'registration_endpoint',
  phase: Phase,
): string {
  const { issuer, [name]: url } = metadata;
  if (url === undefined) throw new FailureError('metadata_incomplete', phase, { issuer, reason: `It names no ${name}.` });
  if (!isSafeEndpoint(url)) throw new FailureError('endpoint_refused', phase, { issuer, url: withoutQuery(url) });
  return url;
}

/**
 * The endpoints of every login that the policy for server-supplied URLs refuses
 * (SEC-03): known before the user is asked for anything, and in time to try another
 * authorization server. A name that cannot be resolved now is no refusal.
 */
export async function refusedEndpoints(metadata: ServerMetadata, checkUrl: UrlCheck): Promise<readonly FailureError[]> {
  const { issuer, authorization_endpoint, token_endpoint } = metadata;
  const uses = [
    [authorization_endpoint, 'authorization'],
    [token_endpoint, 'token'],
  ] as const;
  const refused: FailureError[] = [];
  for (const [url, purpose] of uses) {
    if (url === undefined) continue;
    const thrown: unknown = await checkUrl(url, { phase: 'server-metadata', purpose }).catch((error: unknown) => error);
    if (!(thrown instanceof FailureError) || thrown.failure.code !== 'url_refused_by_policy') continue;
    const { details } = thrown.failure;
    refused.push(new FailureError('url_refused_by_policy', 'server-metadata', { ...details, issuer }));
  }
  return refused;
}
