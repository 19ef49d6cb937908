/**
 * Streams that wait for whatever may come: of a `GET` in MCP's Streamable HTTP, since revision 2026-07-28 of a `POST` of
 * `subscriptions/listen`. They end when somebody ends them, and clients then come again. Answers to any other `POST` end by
 * themselves, and would be lost.
 */
import type { Clock } from '../clock.ts';
import { LEEWAY_SECONDS } from './clock-leeway.ts';
import type { Caller } from './protect-options.ts';

export function isWaitingStream(request: Request, response: Response): boolean {
  return response.body !== null && isEvents(response) && (request.method === 'GET' || isListening(request));
}

const isEvents = ({ headers }: Response): boolean => /^text\/event-stream\s*(?:;|$)/i.test(headers.get('content-type') ?? '');

/** The header alone: servers have to refuse one that says another method than the body does. */
const isListening = ({ method, headers }: Request): boolean => method === 'POST' && headers.get('mcp-method') === 'subscriptions/listen';

export interface TokenEnd {
  /** Aborts when no new request with the token would be let in. */
  readonly signal: AbortSignal;
  /** It is waited for no longer. */
  readonly forget: () => void;
}

/** `undefined` for a caller whose token says no end, and for one without a token. */
export function tokenEnd(caller: Caller | undefined, clock: Clock): TokenEnd | undefined {
  const endEpochMs = (caller?.expiresAtEpochSeconds ?? Number.NaN) * 1000;
  if (!Number.isFinite(endEpochMs)) return undefined;
  const ended = new AbortController();
  const forgotten = new AbortController();
  // A validator with a leeway of its own lets in what has ended: such a stream lasts, too, or clients would come again at once.
  const lastsMs = Math.max(0, endEpochMs - clock.now()) + LEEWAY_SECONDS * 1000;
  clock.sleep(lastsMs, forgotten.signal, { background: true }).then(
    () => ended.abort(),
    () => {},
  );
  return { signal: ended.signal, forget: () => forgotten.abort() };
}
