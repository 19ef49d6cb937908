/** A one-shot stream that is kept as it passes, so that it can be sent again from its first byte (FET-05). */
import type { ReplayableBody } from './replayable-body.ts';

export type Source = ReadableStream<unknown> | AsyncIterable<unknown>;

type Chunk = Uint8Array<ArrayBuffer>;

export function recordedStream(source: Source, limitBytes: number): ReplayableBody {
  const from = readerOf(source);
  const kept: Chunk[] = [];
  let keptBytes = 0;
  let isKept = true;
  let hasEnded = false;
  let reading: Promise<void> | undefined;
  let newest = 0;

  // Two sends may overlap for a moment (a 401 that came before the body was read):
  // both wait for the same read, so that no chunk goes to only one of them.
  const readOne = (): Promise<void> => {
    reading ??= from
      .next()
      .then(({ done, value }) => {
        if (done === true) {
          hasEnded = true;
          return;
        }
        const chunk = bytesOf(value);
        kept.push(chunk);
        keptBytes += chunk.byteLength;
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };

  const stream = (): ReadableStream<Chunk> => {
    newest += 1;
    const own = newest;
    let at = 0;
    return new ReadableStream<Chunk>(
      {
        async pull(controller) {
          while (at >= kept.length && !hasEnded) await readOne();
          // What an overtaken send still wants would otherwise be missing from the one that counts.
          if (own !== newest) throw new Error('The body is being sent again.');
          const chunk = kept[at];
          if (chunk === undefined) {
            controller.close();
            return;
          }
          at += 1;
          controller.enqueue(chunk.slice());
          if (keptBytes <= limitBytes) return;
          // Too large to keep: from here on it only passes through, once.
          isKept = false;
          kept.splice(0, at);
          at = 0;
        },
      },
      { highWaterMark: 0 },
    );
  };

  return {
    first: stream,
    again: () => (isKept ? stream() : undefined),
    isStream: true,
    release(reason) {
      if (reason !== undefined) from.cancel(reason);
    },
  };
}

interface ChunkReader {
  next(): Promise<IteratorResult<unknown, unknown>>;
  cancel(reason: unknown): void;
}

/** Not every platform can iterate over its streams. */
function readerOf(source: Source): ChunkReader {
  if (source instanceof ReadableStream) {
    const reader = source.getReader();
    return {
      next: () => reader.read() as Promise<IteratorResult<unknown, unknown>>,
      cancel: (reason) => void reader.cancel(reason).catch(() => {}),
    };
  }
  const iterator = source[Symbol.asyncIterator]();
  return {
    next: () => iterator.next(),
    cancel: () => void iterator.return?.().catch(() => {}),
  };
}

/** Bytes, or text as Node's fetch takes it from an iterable. */
function bytesOf(value: unknown): Chunk {
  if (typeof value === 'string') return new TextEncoder().encode(value);
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  throw new TypeError('The body is a stream of something other than bytes.');
}
