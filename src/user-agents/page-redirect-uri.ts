/** Which redirect URI brings the user back to pages that share this page's store: one of its own origin. */
import { FailureError } from '../failure.ts';
import type { RedirectRequest } from './contract.ts';

/** @throws FailureError `invalid_configuration` if the client metadata names none of `origin`. */
export function redirectUriOfOrigin(request: Omit<RedirectRequest, 'deliver'>, origin: string): string {
  const { redirectUris, preferredRedirectUri, preferredOnly } = request;
  const isOffered = preferredRedirectUri !== undefined && (preferredOnly === true || redirectUris.includes(preferredRedirectUri));
  const candidates = [...(isOffered ? [preferredRedirectUri] : []), ...(preferredOnly === true ? [] : redirectUris)];
  const found = candidates.find((uri) => URL.parse(uri)?.origin === origin);
  if (found !== undefined) return found;
  throw new FailureError('invalid_configuration', 'authorization', {
    problems: [`redirect_uris names no page of ${origin}.`],
    reason: 'The user can only come back to a page of the same origin: its store knows the attempt.',
    expected: origin,
  });
}
