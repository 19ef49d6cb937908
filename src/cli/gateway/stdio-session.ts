/**
 * One MCP session over Streamable HTTP and the process that serves it over stdio. Messages pass as they are: both
 * sides speak the same JSON-RPC, and only the way of carrying it differs. The transports are the official SDK's.
 */
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import type { Clock } from '../../clock.ts';
import { kindOf } from '../../failure.ts';
import type { GatewayLog } from '../../gateway/gateway-log.ts';
import { type ProcessEnd, watchEnd } from './process-end.ts';
import { logStderr } from './stdio-log.ts';
import { unreadBound } from './unread-bound.ts';

export interface StdioSessionOptions {
  readonly command: readonly [string, ...string[]];
  readonly env: Record<string, string>;
  readonly log: GatewayLog;
  readonly clock: Clock;
  /** The session has its identifier: `initialize` was right in form. */
  readonly onBegun: (id: string) => void;
  /** Once: the client ended it, the process died, or `close` was called. */
  readonly onEnded: (id: string | undefined) => void;
}

export interface StdioSession {
  /** Messages the process has not read, and requests it has not answered. */
  readonly waiting: number;
  handle(request: Request): Promise<Response>;
  /** Resolves when the process is gone: asked to end, then told, then killed, within some four seconds. */
  close(): Promise<void>;
}

/** A message of the process that is larger than this ends the session. */
const LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024;
/** A caller who leaves more of one stream unread loses it. */
const MOST_UNREAD_BYTES = 2 * LARGEST_MESSAGE_BYTES;
/** JSON-RPC: the first of those an implementation may define. */
const NO_ANSWER = -32_000;

export function stdioSession({ command, env, log, clock, onBegun, onEnded }: StdioSessionOptions): StdioSession {
  const [program, ...args] = command;
  const child = new StdioClientTransport({ command: program, args, env, stderr: 'pipe', maxBufferSize: LARGEST_MESSAGE_BYTES });
  const http = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => crypto.randomUUID(),
    onsessioninitialized: (id) => onBegun(id),
  });
  const underWay = new Set<RequestId>();
  const byProgressToken = new Map<unknown, RequestId>();
  let unread = 0;
  let started: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  /** The child ends by itself, as opposed to being told to. */
  let isOver = false;
  let hasAnswered = false;
  let lastWords: Promise<string | undefined> | undefined;
  let endOf = (): ProcessEnd => ({});

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
      await child.close();
    })();
    return closing;
  };

  const start = async (): Promise<void> => {
    if (child.stderr !== null) lastWords = logStderr(child.stderr as Parameters<typeof logStderr>[0], () => child.pid, log, clock);
    await child.start();
    endOf = watchEnd(child);
    log('info', 'backend.started', { pid: child.pid ?? undefined });
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
      .then(() => child.send(message))
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

  child.onmessage = (message) => {
    const isAnswer = !('method' in message) && message.id !== undefined;
    const relatedRequestId = relatedRequest(message);
    http.send(message, relatedRequestId === undefined ? {} : { relatedRequestId }).catch(() => log('debug', 'backend.message-unasked-for'));
    if (!isAnswer || message.id === undefined) return;
    hasAnswered = true;
    settled(message.id);
  };
  child.onerror = (error) => log('warn', 'backend.error', { program, thrown: kindOf(error), code: codeOf(error) });
  child.onclose = () => {
    if (!isOver) {
      log('warn', 'backend.ended', { reason: 'The process ended by itself.', program, ...endOf() });
      // With the first answer it has started well: after that its stderr is its own matter, in the log with --verbose.
      if (!hasAnswered) {
        void lastWords?.then((text) => {
          if (text !== undefined) log('warn', 'backend.last-words', { program, text });
        });
      }
    }
    void close();
  };

  return {
    get waiting() {
      return unread + underWay.size;
    },
    async handle(request) {
      return unreadBound(await http.handleRequest(request), MOST_UNREAD_BYTES, () =>
        log('warn', 'backend.unread', { bytes: MOST_UNREAD_BYTES }),
      );
    },
    close,
  };
}

/** `ENOENT` and such; the text of an error may quote the environment. */
function codeOf(thrown: unknown): string | undefined {
  const code = Object(thrown)['code'] as unknown;
  return typeof code === 'string' && /^[A-Z_]{2,40}$/.test(code) ? code : undefined;
}
