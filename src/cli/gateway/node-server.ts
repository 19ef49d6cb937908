/** A Web-standard handler as an HTTP server of Node. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { kindOf } from '../../failure.ts';
import type { ProtectedHandler } from '../../gateway/protect-options.ts';
import { Ended } from '../ended.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { breakingOff } from './breaking-off.ts';
import { type ListenAddress, listenText } from './listen-address.ts';

export interface NodeServer {
  readonly address: ListenAddress;
  /** Takes no more, and lets what is under way end, for at most `graceMs`. @returns whether all of it did */
  close(graceMs: number): Promise<boolean>;
}

/** A client that sends its headers or its body drop by drop holds a connection no longer than this. */
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const LARGEST_HEADERS_BYTES = 32 * 1024;
/** While the server ends. */
const SWEEP_MS = 50;
const MOST_CONNECTIONS = 10_000;

/** @throws Ended with `port_in_use`, `port_forbidden`, `address_unavailable` */
export async function listen(
  handler: ProtectedHandler,
  address: ListenAddress,
  /** Told of the code of a later error, such as `EMFILE`, and of answers that broke off: the server goes on. */
  onError: (event: 'server-error' | 'answer-broken', details: { readonly code?: string | undefined; readonly thrown?: string }) => void,
): Promise<NodeServer> {
  const answer = getRequestListener(
    async (request, env) => {
      const { incoming, outgoing } = env as { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse };
      const { remoteAddress } = incoming.socket;
      const response = await handler(request, remoteAddress === undefined ? {} : { clientAddress: remoteAddress });
      return breakingOff(response, outgoing, (thrown) => onError('answer-broken', { thrown: kindOf(thrown) }));
    },
    { overrideGlobalObjects: false },
  );
  // The time for a request is that of receiving it: streams of answers last as long as they last.
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    maxHeaderSize: LARGEST_HEADERS_BYTES,
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.on('request', (request, response) => void answer(request, response));
  await listening(server, address);
  server.on('error', ({ code }: NodeJS.ErrnoException) => onError('server-error', { code }));
  const { port } = server.address() as AddressInfo;
  return { address: { host: address.host, port }, close: (graceMs) => closing(server, graceMs) };
}

function listening(server: Server, address: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(notListening(error, address)));
    server.listen(address.port, address.host, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function notListening({ code = 'unknown' }: NodeJS.ErrnoException, address: ListenAddress): Ended {
  const at = listenText(address);
  switch (code) {
    case 'EADDRINUSE':
      return new Ended(
        EXIT_CODES.tryLater,
        'port_in_use',
        `Something else listens at ${at} already.`,
        'End it, or choose another port with --listen.',
      );
    case 'EACCES':
      return new Ended(
        EXIT_CODES.usage,
        'port_forbidden',
        `This user may not listen at ${at}.`,
        'Ports below 1024 are often for the administrator alone: choose a higher one with --listen, and let what ends TLS lead there.',
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new Ended(
        EXIT_CODES.usage,
        'address_unavailable',
        `${at} is no address of this machine.`,
        'Name one that it has with --listen.',
      );
    default:
      return new Ended(
        EXIT_CODES.unexpected,
        'listen_failed',
        `Listening at ${at} failed (${code}).`,
        'Choose another address with --listen.',
      );
  }
}

function closing(server: Server, graceMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let isForced = false;
    const timer = setTimeout(() => {
      isForced = true;
      server.closeAllConnections();
    }, graceMs);
    // A connection whose request has ended stays open for the next one, which nobody waits for any more.
    const sweeping = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
    server.close(() => {
      clearTimeout(timer);
      clearInterval(sweeping);
      resolve(!isForced);
    });
    server.closeIdleConnections();
  });
}
