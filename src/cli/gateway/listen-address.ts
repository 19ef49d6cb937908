/** Where the gateway listens. */
import { isLoopbackHost } from '../../protocol/endpoint-url.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 8080;
const LOOPBACK = '127.0.0.1';

/** `host:port`, `[::1]:port`, or a port alone, which is on loopback. */
export function parseListen(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits = ''] = /^(?:(?:\[([\da-fA-F:.%\w]+)\]|([^\s:[\]/]+)):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  return digits === '' || port > 65_535 ? undefined : { host: bracketed ?? plain ?? LOOPBACK, port };
}

/** This machine alone, at the port of a resource on it: whoever knows that URL reaches the gateway. */
export function defaultListen(resource: URL | undefined): ListenAddress {
  if (resource?.protocol === 'http:' && isLoopbackHost(resource.hostname)) {
    return { host: resource.hostname === '[::1]' ? '::1' : LOOPBACK, port: resource.port === '' ? 80 : Number(resource.port) };
  }
  return { host: LOOPBACK, port: DEFAULT_PORT };
}

export const isLoopbackListen = ({ host }: ListenAddress): boolean => isLoopbackHost(host);

/** May what is sent to this host, at the same port, come to the gateway? One of several names and addresses of this machine counts as all. */
export function isListenedAt({ host }: ListenAddress, hostname: string): boolean {
  const named = hostname.replace(/^\[|\]$/g, '');
  if (isLoopbackHost(hostname)) return isLoopbackHost(host) || host === '0.0.0.0' || host === '::';
  return named === host;
}

export const listenText = ({ host, port }: ListenAddress): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
