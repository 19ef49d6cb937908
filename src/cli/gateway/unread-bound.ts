/** Streams of a source that does not wait for its readers: what nobody reads is kept, and only so much of it in all of them together. */

import { type Chunk, type JoinedChunks, joinedChunks } from './joined-chunks.ts';

/** One stream. */
interface Kept {
  /** What was not read yet. */
  readonly chunks: JoinedChunks;
  /** Drops it all. */
  breakOff(): void;
}

/**
 * @param onFull the readers were too slow, and the stream of which most was left breaks off
 * @returns the response, its body read at once: the source would keep it otherwise, where nobody can count it
 */
export function unreadBound(mostBytes: number, onFull: () => void): (response: Response) => Response {
  const all = new Set<Kept>();

  const makeRoom = (): void => {
    const unread = [...all].reduce((sum, { chunks }) => sum + chunks.bytes, 0);
    if (unread <= mostBytes) return;
    onFull();
    [...all].reduce((one, other) => (other.chunks.bytes > one.chunks.bytes ? other : one)).breakOff();
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
      chunks: joinedChunks(),
      breakOff() {
        const thrown = new RangeError('The reader does not keep up.');
        forget();
        ended({ thrown });
        reader.cancel(thrown).catch(() => {});
      },
    };
    const forget = (): void => {
      all.delete(kept);
      kept.chunks.clear();
    };
    const pass = async (): Promise<void> => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || end !== undefined) return;
        kept.chunks.add(value);
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
          // A chunk may be empty.
          while (kept.chunks.pieces === 0 && end === undefined) await new Promise<void>((resolve) => (wake = resolve));
          const next = kept.chunks.take();
          if (next !== undefined) return controller.enqueue(next);
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
