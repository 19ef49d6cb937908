/**
 * Notices the end of a response body: read to its end, failed, cancelled by its
 * reader, abandoned by a caller who went away, or ended by us (GWY-11). The body passes through
 * unbuffered: a chunk is fetched when the reader asks for one.
 */

export interface BodyWatch {
  /** Called once. */
  readonly onEnd: () => void;
  /** Aborts when the caller goes away. */
  readonly signal: AbortSignal;
  /** Aborts when the body has lasted long enough: it then ends properly, and not as a connection that breaks. */
  readonly closing?: AbortSignal | undefined;
  /** In whose name the body is produced. */
  readonly within: <Result>(work: () => Result) => Result;
}

/**
 * The same response, watched.
 *
 * @throws TypeError if the body was used already
 */
export function withBodyEnd(response: Response, { onEnd, signal, closing, within }: BodyWatch): Response {
  if (response.body === null) {
    onEnd();
    return response;
  }
  const reader = response.body.getReader();
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  let isOver = false;
  const over = (): boolean => {
    if (isOver) return false;
    isOver = true;
    signal.removeEventListener('abort', abandon);
    closing?.removeEventListener('abort', close);
    onEnd();
    return true;
  };
  const stopSource = (reason: unknown): Promise<void> => within(() => reader.cancel(reason)).catch(() => {});
  function abandon(): void {
    if (!over()) return;
    controller?.error(signal.reason);
    void stopSource(signal.reason);
  }
  function close(): void {
    if (!over()) return;
    controller?.close();
    void stopSource(closing?.reason);
  }
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(given) {
        controller = given;
      },
      async pull(given) {
        try {
          const { done, value } = await within(() => reader.read());
          if (isOver) return;
          if (!done) return given.enqueue(value);
          given.close();
          over();
        } catch (error) {
          if (over()) given.error(error);
        }
      },
      cancel(reason) {
        over();
        return stopSource(reason);
      },
    },
    { highWaterMark: 0 },
  );
  if (signal.aborted) abandon();
  else if (closing?.aborted === true) close();
  else {
    signal.addEventListener('abort', abandon, { once: true });
    closing?.addEventListener('abort', close, { once: true });
  }
  try {
    return new Response(body, response);
  } catch (error) {
    // A status that no response made here may have.
    if (over()) void stopSource(error);
    throw error;
  }
}

/** For `HEAD`: whoever sends the response reads no body, and would never come to its end. */
export function withoutBody(response: Response): Response {
  response.body?.cancel().catch(() => {});
  return new Response(null, response);
}
