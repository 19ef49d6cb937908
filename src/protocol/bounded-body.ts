/** Reads a body into memory and stops at the first byte too many (SEC-02). */

/** Statuses for which `Response` refuses a body. */
const BODILESS_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

/** Tells the sender that nothing more is wanted. */
export function discardBody(response: Response): void {
  response.body?.cancel().catch(() => {});
}

/**
 * The response with its body in memory. Bytes are counted after decompression, so
 * that a small compressed body cannot grow into a large one.
 *
 * @param signal stops the reading; a stream of an injected `fetch` need not know it
 * @returns `undefined` if the body has more than `limitBytes`
 */
export async function withBodyInMemory(response: Response, limitBytes: number, signal: AbortSignal): Promise<Response | undefined> {
  const { body } = response;
  if (body === null) return response;
  if (BODILESS_STATUSES.has(response.status)) {
    discardBody(response);
    return new Response(null, response);
  }
  const reader = body.getReader();
  const stop = (): void => {
    reader.cancel().catch(() => {});
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const bytes = await readUpTo(reader, limitBytes);
    return bytes && new Response(bytes, response);
  } finally {
    signal.removeEventListener('abort', stop);
    // Of a body read to its end this is nothing; of any other it closes the connection.
    stop();
  }
}

async function readUpTo(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  limitBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(chunks, size);
    // Streams made in this process may carry strings, whose size would go uncounted.
    if (!ArrayBuffer.isView(value)) throw new TypeError('The body is not made of bytes.');
    size += value.byteLength;
    if (size > limitBytes) return undefined;
    chunks.push(value);
  }
}

function joined(chunks: readonly Uint8Array<ArrayBuffer>[], size: number): Uint8Array<ArrayBuffer> {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
