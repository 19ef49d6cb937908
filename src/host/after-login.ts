/** Where the browser goes after a login: by configuration alone, never by the request (open redirects, RFC 9700 section 4.11). */
import { isSafeEndpoint } from '../protocol/endpoint-url.ts';
import type { AuthorizationHostOptions, HostedLogin } from './host-options.ts';

/** The function; it returns `undefined`, and tells so, for a URL that nobody may be sent to. */
export function afterLogin(
  { afterLogin: target, redirectUri }: Pick<AuthorizationHostOptions, 'afterLogin' | 'redirectUri'>,
  refused: () => void,
): (login: HostedLogin) => string | undefined {
  if (target === undefined) return () => undefined;
  // Written down beforehand, and checked when the host was created.
  if (typeof target === 'string') return () => new URL(target, redirectUri).href;
  const { origin } = new URL(redirectUri);
  return (login) => {
    const url = resolved(() => target(login), redirectUri);
    if (url !== null && url.origin === origin && isSafeEndpoint(url.href)) return url.href;
    refused();
    return undefined;
  };
}

function resolved(target: () => string, base: string): URL | null {
  try {
    return URL.parse(target(), base);
  } catch {
    return null;
  }
}
