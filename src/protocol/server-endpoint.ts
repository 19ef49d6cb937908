/** The endpoints the flow goes to, checked before each use (ASM-04). */
import { FailureError, type Phase } from '../failure.ts';
import type { ServerMetadata } from './documents.ts';
import { isSafeEndpoint, withoutQuery } from './endpoint-url.ts';

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
