/** Streams of a source that does not wait for its readers: what nobody reads is kept, and only so much of it in all of them together. */

type Chunk = Uint8Array<ArrayBuffer>;

/** What of one stream was not read yet. */
interface Kept {
  readonly chunks: Chunk[];
  bytes: number;
  /** Drops it all. */
  breakOff(): void;
}

const PIECE_BYTES = 64 * 1024;

/** Many small ones at once: to take the first of a long list away moves all the others. */
function taken(kept: Kept): Chunk {
  let [count, bytes] = [0, 0];
  do bytes += kept.chunks[count++]?.byteLength ?? 0;
  while (count < kept.chunks.length && bytes < PIECE_BYTES);
  kept.bytes -= bytes;
  return Buffer.concat(kept.chunks.splice(0, count));
}

/**
 * @param onFull the readers were too slow, and the stream of which most was left breaks off
 * @returns the response, its body read at once: the source would keep it otherwise, where nobody can count it
 */
export function unreadBound(mostBytes: number, onFull: () => void): (response: Response) => Response {
  const all = new Set<Kept>();

  const makeRoom = (): void => {
    const unread = [...all].reduce((sum, { bytes }) => sum + bytes, 0);
    if (unread <= mostBytes) return;
    onFull();
    [...all].reduce((one, other) => (other.bytes > one.bytes ? other : one)).breakOff();
  };

  return (response) => {
    if (response.body === null) return response;
    const reader = response.body.getReader();
    let wake = (): void => {};
    let end: { readonly thrown?: unknown } | undefined;
    const ended = (how: { readonly thrown?: unknown }): void => {
      end ??= how;
      wake();
    };
    const kept: Kept = {
      chunks: [],
      bytes: 0,
      breakOff() {
        const thrown = new RangeError('The reader does not keep up.');
        forget();
        ended({ thrown });
        reader.cancel(thrown).catch(() => {});
      },
    };
    const forget = (): void => {
      all.delete(kept);
      kept.chunks.length = 0;
      kept.bytes = 0;
    };
    const pass = async (): Promise<void> => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || end !== undefined) return;
        kept.chunks.push(value);
        kept.bytes += value.byteLength;
        wake();
        makeRoom();
      }
    };
    all.add(kept);
    pass().then(
      () => ended({}),
      (thrown: unknown) => ended({ thrown }),
    );
    const body = new ReadableStream<Chunk>(
      {
        async pull(controller) {
          if (kept.chunks.length === 0 && end === undefined) await new Promise<void>((resolve) => (wake = resolve));
          if (kept.chunks.length > 0) return controller.enqueue(taken(kept));
          all.delete(kept);
          if (end !== undefined && 'thrown' in end) throw end.thrown;
          controller.close();
        },
        cancel(reason) {
          forget();
          ended({});
          return reader.cancel(reason);
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body, response);
  };
}
