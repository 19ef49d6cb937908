/**
 * Streams that wait for whatever may come (`GET` of MCP's Streamable HTTP): they end when
 * somebody ends them, and clients then come again. Answers to a `POST` end by themselves, and
 * would be lost.
 */
import type { Clock } from '../clock.ts';
import { LEEWAY_SECONDS } from './clock-leeway.ts';
import type { Caller } from './protect-options.ts';

export function isWaitingStream(request: Request, response: Response): boolean {
  const isEvents = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  return request.method === 'GET' && isEvents && response.body !== null;
}

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
