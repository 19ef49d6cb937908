/** What `fetch` rejects with when there is no answer, or half of one: a TypeError that keeps the reason in its cause. */
import { AuthorizationError } from '../errors.ts';
import { failure } from '../failure.ts';
import { withoutQuery } from '../protocol/endpoint-url.ts';
import { networkReason } from '../protocol/network-reason.ts';

/** The failure that a network error is for the shell; anything else as it is. */
export function asNetworkFailure(thrown: unknown, url: URL): unknown {
  if (!(thrown instanceof TypeError) || thrown.cause === undefined) return thrown;
  const reason = networkReason(thrown);
  return new AuthorizationError(
    failure('network_unreachable', 'request', { url: withoutQuery(url.href), ...(reason !== undefined && { reason }) }),
  );
}
