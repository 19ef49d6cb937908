/**
 * Which loopback address to listen on, RFC 8252 sections 7.3 and 8.3.
 *
 * A redirect URI without a port stands for any port; one with a port stands for
 * that port. The URI is kept as it was written but for the port, because
 * authorization servers compare it as a string.
 */
import { FailureError } from '../failure.ts';
import type { RedirectRequest } from './contract.ts';

export interface LoopbackAddress {
  /** As it stands in the redirect URI and in the Host header: `127.0.0.1`, `[::1]` or `localhost`. */
  readonly hostname: string;
  readonly path: string;
  /** 0: any free port. */
  readonly port: number;
  /** The redirect URI once the port is known. */
  redirectUri(port: number): string;
}

const LOOPBACK_NAMES: readonly string[] = ['127.0.0.1', '[::1]', 'localhost'];

/** The address a redirect URI names, or `undefined` if it is not a plain loopback http URL. */
export function loopbackAddress(redirectUri: string): LoopbackAddress | undefined {
  const url = URL.canParse(redirectUri) ? new URL(redirectUri) : undefined;
  if (url === undefined || url.protocol !== 'http:' || !LOOPBACK_NAMES.includes(url.hostname)) return undefined;
  if (url.username !== '' || url.password !== '' || url.hash !== '') return undefined;
  const { hostname, pathname: path } = url;
  return {
    hostname,
    path,
    port: Number(url.port),
    redirectUri: (port) => (url.port === '' ? redirectUri.replace(/^http:\/\/[^/?#]*/i, `http://${hostname}:${port}`) : redirectUri),
  };
}

/**
 * The addresses to try, in order: the one an earlier registration or a resumed
 * attempt uses (REG-05, RES-07), then what the client metadata offers.
 */
export function addressesToTry(request: Omit<RedirectRequest, 'deliver'>): readonly LoopbackAddress[] {
  const offered = request.redirectUris.flatMap((uri) => loopbackAddress(uri) ?? []);
  const preferred = request.preferredRedirectUri === undefined ? undefined : loopbackAddress(request.preferredRedirectUri);
  if (request.preferredOnly === true) {
    // Without a port the browser comes to port 80, and any other would wait in vain.
    if (preferred !== undefined && preferred.port !== 0) return [preferred];
    throw new FailureError('redirect_unavailable', 'authorization', {
      reason: 'The browser comes back to an address that cannot be listened on.',
      ...(request.preferredRedirectUri !== undefined && { expected: request.preferredRedirectUri }),
    });
  }
  if (offered.length === 0) {
    throw new FailureError('invalid_configuration', 'authorization', {
      problems: ['redirect_uris names no http URL on 127.0.0.1, [::1] or localhost to listen on.'],
      reason: 'The loopback user agent needs a loopback redirect URI.',
    });
  }
  // A preferred address that the client no longer offers would be refused at the token endpoint.
  const isOffered = (address: LoopbackAddress): boolean =>
    offered.some(
      ({ hostname, path, port }) => hostname === address.hostname && path === address.path && (port === 0 || port === address.port),
    );
  return preferred !== undefined && isOffered(preferred) ? [preferred, ...offered] : offered;
}

/**
 * The addresses to bind, never a wildcard. `localhost` is what the browser's
 * resolver makes of it, so both families are bound; only the first must work.
 */
export function bindAddresses(hostname: string): readonly string[] {
  if (hostname === '[::1]') return ['::1'];
  return hostname === 'localhost' ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
}
