/**
 * Request bodies that can be sent again after authorization (FET-05). Kinds that
 * fetch can read any number of times are left alone; one-shot streams are kept,
 * as they pass, up to a limit.
 */
export interface ReplayableBody {
  /** False once more has passed than the limit: it cannot be sent again. */
  readonly canReplay: boolean;
  /** The body to send now; each call starts from its first byte. */
  next(): BodyInit | null | undefined;
}

type Chunk = Uint8Array<ArrayBuffer>;

/** The body of a request, whatever its kind. `contentType` is set where sending it again would change it. */
export async function replayable(
  body: BodyInit | null | undefined,
  limitBytes: number,
): Promise<{ readonly body: ReplayableBody; readonly contentType?: string }> {
  if (body instanceof FormData) {
    // Every serialisation draws a new boundary: it is serialised once, so that the replay has the same bytes.
    const blob = await new Response(body).blob();
    return { body: { canReplay: true, next: () => blob }, contentType: blob.type };
  }
  if (isOneShot(body)) return { body: recorded(body, limitBytes) };
  return { body: { canReplay: true, next: () => body } };
}

/** A stream, or an async iterable as Node's fetch takes it. */
export function isOneShot(body: unknown): body is ReadableStream<Chunk> | AsyncIterable<Chunk> {
  if (typeof body !== 'object' || body === null || body instanceof Blob) return false;
  return body instanceof ReadableStream || Symbol.asyncIterator in body;
}

function recorded(source: ReadableStream<Chunk> | AsyncIterable<Chunk>, limitBytes: number): ReplayableBody {
  const iterator = source[Symbol.asyncIterator]();
  const kept: Chunk[] = [];
  let keptBytes = 0;
  let dropped = 0;
  let hasEnded = false;
  let reading: Promise<void> | undefined;

  // Two sends may overlap for a moment (a 401 before the first has read its body):
  // both wait for the same read, so that no chunk goes to only one of them.
  const readOne = (): Promise<void> => {
    reading ??= iterator
      .next()
      .then(({ done, value }) => {
        if (done === true) {
          hasEnded = true;
          return;
        }
        kept.push(value);
        keptBytes += value.byteLength;
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };

  const stream = (): ReadableStream<Chunk> => {
    let at = 0;
    return new ReadableStream<Chunk>(
      {
        async pull(controller) {
          while (at >= dropped + kept.length && !hasEnded) await readOne();
          const chunk = kept[at - dropped];
          if (chunk === undefined) {
            controller.close();
            return;
          }
          at += 1;
          controller.enqueue(chunk.slice());
          if (keptBytes > limitBytes) {
            // Too large to keep: from here on it only passes through, once.
            dropped += kept.length;
            kept.length = 0;
          }
        },
      },
      { highWaterMark: 0 },
    );
  };

  return {
    get canReplay() {
      return dropped === 0;
    },
    next: stream,
  };
}
