/** A real backend on loopback, and a handler that passes requests on to it. Tokens are those of the scripted validator. */
import type { IncomingMessage, RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { protect } from '../../src/gateway/protect.ts';
import type { ProtectedHandler, ProtectOptions } from '../../src/gateway/protect-options.ts';
import type { ReverseProxyOptions } from '../../src/gateway/proxy/proxy-options.ts';
import { type ProxyClient, reverseProxy } from '../../src/gateway/proxy/reverse-proxy.ts';
import type { LogRecord } from '../../src/options.ts';
import { localServer } from '../helpers/local-server.ts';
import { scriptedValidator } from './protected-scene.ts';

export const PUBLIC = 'https://mcp.example.com/mcp';

/** Serves until the test is over. @returns the origin */
export async function listening(listener: RequestListener): Promise<string> {
  return (await localServer(listener)).origin;
}

/** A web-standard handler behind node:http. @returns the origin */
export function listeningHandler(handler: ProtectedHandler): Promise<string> {
  return listening(getRequestListener((request) => handler(request)));
}

export interface ProxiedScene {
  readonly handle: ProtectedHandler;
  readonly backend: string;
  /** What the backend was asked, in order. */
  readonly seen: IncomingMessage[];
  readonly records: LogRecord[];
}

export async function proxiedScene(
  answer: RequestListener = (_request, response) => void response.end('hello'),
  options: Partial<ReverseProxyOptions> = {},
  protection: Partial<ProtectOptions<ProxyClient>> = {},
): Promise<ProxiedScene> {
  const seen: IncomingMessage[] = [];
  const records: LogRecord[] = [];
  const origin = await listening((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  const backend = `${origin}/inner/mcp`;
  const resource = protection.resource ?? PUBLIC;
  const logger = (record: LogRecord): void => void records.push(record);
  const handle = protect({
    resource,
    validator: scriptedValidator,
    logger,
    ...reverseProxy({ resource, backend, logger, ...options }),
    ...protection,
  });
  return { handle, backend, seen, records };
}

/** A request of `good-alice`, or with other headers. */
export function asked(init: RequestInit & { duplex?: 'half' } = {}, url: string = PUBLIC): Request {
  const headers = new Headers(init.headers);
  if (!headers.has('authorization')) headers.set('authorization', 'Bearer good-alice');
  return new Request(url, { ...init, headers });
}
