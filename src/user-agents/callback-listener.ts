/**
 * The HTTP listener that the browser comes back to (SEC-04): bound to loopback,
 * one exact path, GET only, Host checked against DNS rebinding, closed by the
 * first callback that is accepted. A refused callback leaves it open, however many
 * there were, or anyone who finds the port could end a login by sending rubbish
 * (AUT-05): a state of 256 bits needs no bound on guesses, and what one costs is
 * bounded by the connections.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { failureOf } from '../failure.ts';
import { acceptedPage, type CallbackPage, emptyCallbackPage, refusedPage, securityHeaders } from './callback-page.ts';
import type { CallbackOutcome } from './contract.ts';
import { bindAddresses, type LoopbackAddress } from './loopback-address.ts';

/** Cookies are shared by all ports of a host, so a developer's machine sends many of them to `localhost`. */
const HEADER_BYTES = 64 * 1024;
const CONNECTIONS = 32;
/** A browser sends its request at once. */
const REQUEST_TIMEOUT_MS = 10_000;
/** How long a page that is being sent may hold its connection after `close`. */
const LAST_PAGE_MS = 5_000;
/** Tries to find a port that is free in both address families. */
const PORT_TRIES = 8;

export interface CallbackListener {
  readonly redirectUri: string;
  /** Frees the port at once; a page that is on its way still arrives. May be called again. */
  close(): void;
}

export interface CallbackListenerOptions {
  readonly address: LoopbackAddress;
  readonly deliver: (callbackUrl: string) => Promise<CallbackOutcome>;
  readonly applicationName: string | undefined;
}

/** Listens; rejects with the system's error (`EADDRINUSE`, `EACCES`, …) if the address cannot be had. */
export async function listenForCallback(options: CallbackListenerOptions): Promise<CallbackListener> {
  const { address } = options;
  for (let tried = 1; ; tried += 1) {
    const servers: Server[] = [];
    try {
      const port = await bind(servers, address);
      return serve(servers, port, options);
    } catch (error) {
      for (const server of servers) server.close();
      if (address.port !== 0 || tried === PORT_TRIES || !isCode(error, 'EADDRINUSE')) throw error;
    }
  }
}

async function bind(servers: Server[], address: LoopbackAddress): Promise<number> {
  let port = address.port;
  for (const host of bindAddresses(address.hostname)) {
    const server = createServer({ maxHeaderSize: HEADER_BYTES, requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
    server.maxConnections = CONNECTIONS;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        // Not shared with the other workers of a cluster: the callback is for this one.
        server.listen({ host, port, ipv6Only: host.includes(':'), exclusive: true }, () => {
          server.off('error', reject);
          resolve();
        });
      });
    } catch (error) {
      // A machine without IPv6 reaches `localhost` by IPv4; a port that someone else has there is not ours.
      if (servers.length > 0 && !isCode(error, 'EADDRINUSE')) continue;
      throw error;
    }
    servers.push(server);
    port = (server.address() as AddressInfo).port;
  }
  return port;
}

function serve(servers: readonly Server[], port: number, options: CallbackListenerOptions): CallbackListener {
  const { address, deliver, applicationName } = options;
  const redirectUri = address.redirectUri(port);
  const { origin, host } = new URL(redirectUri);
  const underWay = new Map<string, Promise<CallbackOutcome>>();

  /** The same callback twice at once (a reload, an impatient browser) is one callback with two pages. */
  const outcomeOf = (query: string): Promise<CallbackOutcome> => {
    const known = underWay.get(query);
    if (known !== undefined) return known;
    const outcome = deliver(`${origin}${address.path}?${query}`)
      .catch((thrown: unknown): CallbackOutcome => ({ accepted: false, failure: failureOf(thrown, 'authorization') }))
      .then((result) => {
        if (result.accepted) close();
        else underWay.delete(query);
        return result;
      });
    underWay.set(query, outcome);
    return outcome;
  };

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const [path, query] = splitTarget(request.url ?? '');
    const refusal = refusalOf(request, { host, path, exactPath: address.path });
    if (refusal !== undefined) return refusal;
    if (query === '') return { status: 400, page: emptyCallbackPage() };
    const outcome = await outcomeOf(query);
    if (outcome.accepted) return { status: 200, page: acceptedPage(applicationName) };
    return { status: 400, page: refusedPage(outcome.failure) };
  };

  for (const server of servers) {
    server.on('request', (request, response) => {
      // Whatever body someone sends is thrown away, not kept.
      request.resume();
      void answer(request).then((given) => send(response, given));
    });
  }

  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    for (const server of servers) {
      server.close();
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), LAST_PAGE_MS).unref();
    }
  };
  return { redirectUri, close };
}

/** A request that is no callback, whatever its query says. */
function refusalOf(
  request: IncomingMessage,
  { host, path, exactPath }: { host: string; path: string; exactPath: string },
): Answer | undefined {
  if (request.headers.host?.toLowerCase() !== host) return { status: 421, text: 'This address answers to another host name.' };
  if (path !== exactPath) return { status: 404, text: 'Nothing here.' };
  if (request.method !== 'GET') return { status: 405, text: 'Only GET.', headers: { Allow: 'GET' } };
  return undefined;
}

function splitTarget(target: string): readonly [path: string, query: string] {
  const queryStart = target.indexOf('?');
  return queryStart === -1 ? [target, ''] : [target.slice(0, queryStart), target.slice(queryStart + 1)];
}

interface Answer {
  readonly status: number;
  readonly page?: CallbackPage;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function send(response: ServerResponse, { status, page, text, headers }: Answer): void {
  const body = Buffer.from(page?.html ?? `${text}\n`, 'utf8');
  response.writeHead(status, {
    ...securityHeaders(page),
    'Content-Type': `${page === undefined ? 'text/plain' : 'text/html'}; charset=utf-8`,
    'Content-Length': body.byteLength,
    Connection: 'close',
    ...headers,
  });
  response.end(body);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
