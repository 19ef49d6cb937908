/**
 * One MCP session over Streamable HTTP and the process that serves it over stdio. Messages pass as they are: both
 * sides speak the same JSON-RPC, and only the way of carrying it differs. The one of HTTP is the official SDK's.
 */
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import type { Clock } from '../../clock.ts';
import { kindOf } from '../../failure.ts';
import type { GatewayLog } from '../../gateway/gateway-log.ts';
import { lineLimit, logStderr } from './stdio-log.ts';
import { type ProcessEnd, type StdioProcess, stdioProcess } from './stdio-process.ts';
import { unreadBound } from './unread-bound.ts';

export interface StdioSessionOptions {
  readonly command: readonly [string, ...string[]];
  readonly env: Record<string, string>;
  readonly log: GatewayLog;
  readonly clock: Clock;
  /** Most bytes that may be left unread, by the process and by its caller each: the caller loses a stream then. */
  readonly unreadBytes: number;
  /** Whoever started the gateway is ending it, and perhaps the process as well. */
  readonly stopping: AbortSignal;
  /** The session has its identifier: `initialize` was right in form. */
  readonly onBegun: (id: string) => void;
  /** Once: the client ended it, the process died, or `close` was called. */
  readonly onEnded: (id: string | undefined) => void;
}

export interface StdioSession {
  /** Messages the process has not read, and requests it has not answered. */
  readonly waiting: number;
  /** Of requests the process has not read. */
  readonly unreadBytes: number;
  handle(request: Request): Promise<Response>;
  /** Resolves when the process is gone, and what it has started with it: asked to end, then told, then killed. */
  close(): Promise<void>;
}

/** A message of the process that is larger than this ends the session. */
const LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024;
/** The SDK refuses larger ones. */
const LARGEST_REQUEST_BYTES = 4 * 1024 * 1024;
/** JSON-RPC: the first of those an implementation may define. */
const NO_ANSWER = -32_000;

export function stdioSession(options: StdioSessionOptions): StdioSession {
  const { command, log, clock, stopping, onBegun, onEnded } = options;
  const [program] = command;
  const http = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => crypto.randomUUID(),
    onsessioninitialized: (id) => onBegun(id),
  });
  const bounded = unreadBound(options.unreadBytes, () => log('warn', 'backend.unread', { bytes: options.unreadBytes }));
  const underWay = new Set<RequestId>();
  const byProgressToken = new Map<unknown, RequestId>();
  let unread = 0;
  /** Of requests that are being read. */
  let arrivingBytes = 0;
  let child: StdioProcess | undefined;
  let started: Promise<StdioProcess> | undefined;
  let closing: Promise<void> | undefined;
  /** The child ends by itself, as opposed to being told to. */
  let isOver = false;
  let hasAnswered = false;
  let lastWords: Promise<string | undefined> | undefined;
  const line = lineLimit(() => child?.pid, log, clock);

  const answerLost = (id: RequestId): Promise<void> =>
    http.send({ jsonrpc: '2.0', id, error: { code: NO_ANSWER, message: 'The MCP server behind the gateway has ended.' } });

  const settled = (id: RequestId): void => {
    underWay.delete(id);
    for (const [token, of] of byProgressToken) if (of === id) byProgressToken.delete(token);
  };

  /** Servers do not answer what was cancelled (MCP, "Cancellation"): it would be under way, and its stream open, for ever. */
  const cancelled = (message: JSONRPCMessage): void => {
    if (!('method' in message) || message.method !== 'notifications/cancelled') return;
    const { requestId } = (message.params ?? {}) as { readonly requestId?: RequestId };
    if (requestId === undefined || !underWay.has(requestId)) return;
    settled(requestId);
    const error = { code: NO_ANSWER, message: 'The request was cancelled.' };
    http.send({ jsonrpc: '2.0', id: requestId, error }).catch(() => {});
  };

  const close = (): Promise<void> => {
    closing ??= (async () => {
      isOver = true;
      onEnded(http.sessionId);
      for (const id of underWay) await answerLost(id).catch(() => {});
      underWay.clear();
      await http.close();
      // A process that is being started is waited for: otherwise nobody would end it.
      await started?.catch(() => {});
      await child?.end();
    })();
    return closing;
  };

  const fromChild = (message: JSONRPCMessage): void => {
    const isAnswer = !('method' in message) && message.id !== undefined;
    const relatedRequestId = relatedRequest(message);
    http.send(message, relatedRequestId === undefined ? {} : { relatedRequestId }).catch(() => log('debug', 'backend.message-unasked-for'));
    if (!isAnswer || message.id === undefined) return;
    hasAnswered = true;
    settled(message.id);
  };

  const childEnded = (end: ProcessEnd): void => {
    // A supervisor may end all processes of a service at once.
    if (!isOver && stopping.aborted) log('info', 'backend.ended', { reason: 'The process ended while the gateway did.', program, ...end });
    else if (!isOver) {
      log('warn', 'backend.ended', { reason: 'The process ended by itself.', program, ...end });
      // With the first answer it has started well: after that its stderr is its own matter, in the log with --verbose.
      if (!hasAnswered) {
        void lastWords?.then((text) => {
          if (text !== undefined) log('warn', 'backend.last-words', { program, text });
        });
      }
    }
    void close();
  };

  const start = async (): Promise<StdioProcess> => {
    child = stdioProcess({
      command,
      env: options.env,
      largestMessageBytes: LARGEST_MESSAGE_BYTES,
      onMessage: fromChild,
      onError: (thrown) => line('warn', 'backend.error', { program, thrown: kindOf(thrown), code: codeOf(thrown) }),
      onEnd: childEnded,
    });
    if (child.stderr !== null) lastWords = logStderr(child.stderr, line);
    await child.started;
    log('info', 'backend.started', { pid: child.pid });
    return child;
  };

  http.onmessage = (message: JSONRPCMessage): void => {
    if ('method' in message && 'id' in message) {
      underWay.add(message.id);
      const progressToken = (message.params as { _meta?: { progressToken?: unknown } } | undefined)?._meta?.progressToken;
      if (progressToken !== undefined) byProgressToken.set(progressToken, message.id);
    }
    started ??= start();
    unread += 1;
    started
      .then((process) => process.send(message))
      .finally(() => {
        unread -= 1;
      })
      .catch((thrown: unknown) => {
        if (!isOver) log('error', 'backend.failed', { program, thrown: kindOf(thrown), code: codeOf(thrown) });
        return close();
      });
    cancelled(message);
  };
  http.onclose = () => void close();

  /** The request that a message of the process belongs to: its stream carries it. */
  const relatedRequest = (message: JSONRPCMessage): RequestId | undefined => {
    if (!('method' in message)) return undefined;
    const token = (message.params as { progressToken?: unknown } | undefined)?.progressToken;
    return byProgressToken.get(token) ?? [...underWay].at(-1);
  };

  return {
    get waiting() {
      return unread + underWay.size;
    },
    get unreadBytes() {
      return arrivingBytes + (child?.unreadBytes ?? 0);
    },
    async handle(request) {
      const bytes = sizeOf(request);
      arrivingBytes += bytes;
      try {
        return bounded(await http.handleRequest(request));
      } finally {
        arrivingBytes -= bytes;
      }
    },
    close,
  };
}

/** Of one that does not say it as much as it may have. */
function sizeOf({ method, headers }: Request): number {
  if (method !== 'POST') return 0;
  const said = headers.get('content-length') ?? '';
  return /^\d{1,9}$/.test(said) ? Math.min(Number(said), LARGEST_REQUEST_BYTES) : LARGEST_REQUEST_BYTES;
}

/** `ENOENT` and such; the text of an error may quote the environment. */
function codeOf(thrown: unknown): string | undefined {
  const code = Object(thrown)['code'] as unknown;
  return typeof code === 'string' && /^[A-Z_]{2,40}$/.test(code) ? code : undefined;
}
