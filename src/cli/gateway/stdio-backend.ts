/**
 * A stdio MCP server behind the gateway: Streamable HTTP outside, one process for each session, which belongs to the
 * caller who began it. For anybody else it is not there.
 */
import type { Clock } from '../../clock.ts';
import { withBodyEnd } from '../../gateway/body-end.ts';
import type { GatewayLog } from '../../gateway/gateway-log.ts';
import type { Caller, ProtectedCall } from '../../gateway/protect-options.ts';
import { childEnvironment } from './child-environment.ts';
import type { StdioSession, stdioSession } from './stdio-session.ts';

export interface StdioBackendOptions {
  readonly command: readonly [string, ...string[]];
  /** Names of variables that the process may see. */
  readonly passedOn: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: GatewayLog;
  readonly clock: Clock;
  /** Aborted when the gateway is told to end, some time before it is closed. */
  readonly stopping: AbortSignal;
  readonly limits?: Partial<StdioLimits>;
  /** Makes sessions; loaded by whoever needs them, since the SDK is large. */
  readonly begin: typeof stdioSession;
}

export interface StdioLimits {
  readonly sessions: number;
  readonly sessionsPerCaller: number;
  /** Messages that one process may leave unread or unanswered, and answers that its caller may. */
  readonly waitingPerSession: number;
  /** Bytes that one process may leave unread, and as many that its caller may. */
  readonly unreadBytesPerSession: number;
  /** Without a request or an open stream. */
  readonly idleMs: number;
}

export const DEFAULT_STDIO_LIMITS: StdioLimits = {
  sessions: 100,
  sessionsPerCaller: 10,
  waitingPerSession: 100,
  unreadBytesPerSession: 32 * 1024 * 1024,
  idleMs: 30 * 60_000,
};

export interface StdioBackend {
  handle(request: Request, call: Pick<ProtectedCall<unknown>, 'caller'>): Promise<Response>;
  /** Begins no more, and ends every session; resolves when no process is left. */
  close(): Promise<void>;
}

interface Owned {
  readonly owner: string;
  /** What the process was told that its caller may do, once and for all. */
  readonly scopes: readonly string[];
  readonly session: StdioSession;
  /** Requests and streams that are not over. */
  open: number;
  idle: AbortController | undefined;
  /** It is on its way out, until then. */
  gone: Promise<void> | undefined;
}

const SESSION_HEADER = 'mcp-session-id';
const RETRY_AFTER_SECONDS = 30;

export function stdioBackend(options: StdioBackendOptions): StdioBackend {
  const { command, passedOn, environment, log, clock, stopping, begin } = options;
  const limits = { ...DEFAULT_STDIO_LIMITS, ...options.limits };
  /** All that may have a process, with and without an identifier yet. */
  const alive = new Set<Owned>();
  const byId = new Map<string, Owned>();
  /** Without a request or an open stream, the longest first. */
  const resting = new Set<Owned>();
  let isClosed = false;

  const end = (owned: Owned): Promise<void> => {
    owned.idle?.abort();
    resting.delete(owned);
    // Counted until then: a process on its way out is still a process.
    owned.gone ??= owned.session.close().finally(() => alive.delete(owned));
    return owned.gone;
  };

  const begun = (owner: string, caller: Caller | undefined): Owned => {
    const owned: Owned = {
      owner,
      scopes: caller?.scopes ?? [],
      open: 0,
      idle: undefined,
      gone: undefined,
      session: begin({
        command,
        env: childEnvironment(environment, passedOn, caller),
        log,
        clock,
        unreadBytes: limits.unreadBytesPerSession,
        stopping,
        onBegun: (id) => byId.set(id, owned),
        onEnded: (id) => {
          if (id !== undefined) byId.delete(id);
          queueMicrotask(() => void end(owned));
        },
      }),
    };
    alive.add(owned);
    return owned;
  };

  /** Counted from the end of the last request. */
  const rest = (owned: Owned): void => {
    owned.open -= 1;
    if (owned.open > 0 || owned.gone !== undefined) return;
    resting.add(owned);
    const idle = new AbortController();
    owned.idle = idle;
    clock.sleep(limits.idleMs, idle.signal, { background: true }).then(
      () => {
        log('info', 'backend.session-idle');
        void end(owned);
      },
      () => {},
    );
  };

  const answer = async (owned: Owned, request: Request): Promise<Response> => {
    owned.idle?.abort();
    resting.delete(owned);
    owned.open += 1;
    const onEnd = (): void => rest(owned);
    let response: Response;
    try {
      response = await owned.session.handle(request);
    } catch (thrown) {
      onEnd();
      throw thrown;
    }
    return withBodyEnd(response, { onEnd, signal: request.signal, within: (work) => work() });
  };

  const ownOf = (owner: string): readonly Owned[] => [...alive].filter((one) => one.owner === owner);
  const isFull = (owner: string): boolean => alive.size >= limits.sessions || ownOf(owner).length >= limits.sessionsPerCaller;
  /**
   * Clients often go without a word: the caller's own session on its way out, or the one that was idle for longest, makes
   * room. Those of others never do.
   */
  const makingRoom = (owner: string): Owned | undefined =>
    ownOf(owner).find(({ gone }) => gone !== undefined) ?? [...resting].find((one) => one.owner === owner);

  const beginning = async (owner: string, caller: Caller | undefined, request: Request): Promise<Response> => {
    if (request.method !== 'POST') return rpcError(400, 'The header Mcp-Session-Id is missing.');
    // Looked at again each time, and nothing is waited for in between: others begin, too.
    while (isFull(owner)) {
      const leaving = makingRoom(owner);
      if (leaving === undefined) {
        log('warn', 'backend.sessions-full', { sessions: alive.size, ofCaller: ownOf(owner).length });
        return rpcError(503, 'There are as many sessions as there may be.', { 'retry-after': String(RETRY_AFTER_SECONDS) });
      }
      if (leaving.gone === undefined) log('info', 'backend.session-replaced');
      await end(leaving);
    }
    if (isClosed) return shuttingDown();
    const owned = begun(owner, caller);
    const response = await answer(owned, request);
    // Whatever was no proper `initialize` has begun nothing.
    if (!response.ok) void end(owned);
    return response;
  };

  return {
    async handle(request, { caller }) {
      if (isClosed) return shuttingDown();
      const owner = ownerOf(caller);
      if (owner === undefined) return rpcError(403, 'The access token does not say who calls: a session would belong to nobody.');
      const id = request.headers.get(SESSION_HEADER);
      if (id === null) return beginning(owner, caller, request);
      const owned = byId.get(id);
      // With a token of fewer scopes the process would do what only the first one allows: the client begins anew.
      const mayDoLess = owned?.scopes.some((scope) => caller?.scopes.includes(scope) !== true) === true;
      if (owned?.owner !== owner || mayDoLess) return rpcError(404, 'Session not found');
      // Answers that nobody reads fill the memory as much as requests that nobody answers.
      const { waiting, unreadBytes } = owned.session;
      const keepsUp = Math.max(waiting, owned.open) < limits.waitingPerSession && unreadBytes < limits.unreadBytesPerSession;
      return keepsUp || request.method === 'DELETE'
        ? answer(owned, request)
        : rpcError(503, 'The MCP server does not keep up.', { 'retry-after': String(RETRY_AFTER_SECONDS) });
    },

    async close() {
      isClosed = true;
      await Promise.all([...alive].map(end));
    },
  };
}

/** Issuer and subject; a client without a person is its own. */
function ownerOf(caller: Caller | undefined): string | undefined {
  if (caller === undefined) return 'anonymous';
  const { subject, clientId, claims } = caller;
  const issuer = claims['iss'] ?? null;
  // An empty name is none: all who have it would be one.
  if (subject !== undefined && subject !== '') return JSON.stringify(['subject', issuer, subject]);
  return clientId === undefined || clientId === '' ? undefined : JSON.stringify(['client', issuer, clientId]);
}

const shuttingDown = (): Response => rpcError(503, 'The gateway is shutting down.', { 'retry-after': '5' });

function rpcError(status: number, message: string, headers: Record<string, string> = {}): Response {
  const code = status === 404 ? -32_001 : -32_000;
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status, headers });
}
