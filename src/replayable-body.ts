/**
 * Request bodies that can be sent again after authorization (FET-05). What fetch
 * can read any number of times is sent as it is; streams are kept, as they pass,
 * up to a limit.
 */
import { recordedStream, type Source } from './recorded-stream.ts';

export interface ReplayableBody {
  /** The body for the first send; `undefined`: it is the one inside the caller's `Request`. */
  first(): BodyInit | undefined;
  /** The same body once more, from its first byte; `undefined` if it was too large to keep. */
  again(): Promise<BodyInit | undefined> | BodyInit | undefined;
  /** Set where fetch would name another type, or another boundary, for what stands in for the body. */
  readonly contentType?: string;
  /** It is sent as a stream, which fetch wants to be told. */
  readonly isStream: boolean;
  /** It will not be sent again; with a reason, what it was read from is cancelled. */
  release(reason?: unknown): void;
}

/**
 * The body of a request, as it is at this moment: callers may use their buffers
 * again as soon as fetch was called.
 */
export function replayable(body: unknown, limitBytes: number): ReplayableBody | Promise<ReplayableBody> {
  if (isOneShot(body)) return recordedStream(body, limitBytes);
  if (body instanceof FormData) return serialised(body);
  if (body instanceof URLSearchParams) return fixed(String(body), 'application/x-www-form-urlencoded;charset=UTF-8');
  if (body instanceof ArrayBuffer) return fixed(body.slice(0));
  if (ArrayBuffer.isView(body)) return fixed(new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice());
  return fixed(body as BodyInit);
}

/** A stream, or an async iterable as Node's fetch takes it. */
function isOneShot(body: unknown): body is Source {
  if (typeof body !== 'object' || body === null || body instanceof Blob) return false;
  return body instanceof ReadableStream || Symbol.asyncIterator in body;
}

function fixed(body: BodyInit, contentType?: string): ReplayableBody {
  return {
    first: () => body,
    again: () => body,
    isStream: false,
    release: () => {},
    ...(contentType !== undefined && { contentType }),
  };
}

/** Every serialisation draws a new boundary: it is done once, so that the replay has the same bytes. */
async function serialised(form: FormData): Promise<ReplayableBody> {
  const encoded = new Response(form);
  // A Blob's own type is in lower case; a boundary need not be.
  const contentType = encoded.headers.get('content-type') ?? undefined;
  return fixed(await encoded.blob(), contentType);
}

/**
 * The body inside a `Request`. The first send takes the request itself, so that
 * fetch knows all it knew about it (its length, whether a redirect can send it
 * again); a copy is read beside it.
 */
export function replayableRequest(request: Request, limitBytes: number): ReplayableBody {
  const reader = request.clone().body?.getReader();
  const kept = reader === undefined ? Promise.resolve(undefined) : readUpTo(reader, limitBytes);
  // Without a replay nobody asks; a stream that fails is reported by the send that reads it.
  kept.catch(() => {});
  return {
    first: () => undefined,
    again: () => kept,
    isStream: false,
    release: (reason) => void reader?.cancel(reason).catch(() => {}),
  };
}

async function readUpTo(reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>, limitBytes: number): Promise<Blob | undefined> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(chunks);
    bytes += value.byteLength;
    if (bytes > limitBytes) {
      // The send goes on by itself; only the copy is given up.
      await reader.cancel();
      return undefined;
    }
    chunks.push(value);
  }
}
