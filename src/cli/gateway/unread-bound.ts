/** Streams of a source that does not wait for its reader: what nobody reads is kept, and only so much of it. */

/** @param onFull the reader was too slow, and the stream breaks off */
export function unreadBound(response: Response, mostBytes: number, onFull: () => void): Response {
  if (response.body === null) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      start(controller) {
        // Read at once, and not when somebody asks: the source would keep it otherwise, where nobody can count it.
        const pass = async (): Promise<void> => {
          for (;;) {
            const { done, value } = await reader.read();
            if (done) return controller.close();
            controller.enqueue(value);
            if ((controller.desiredSize ?? 0) >= 0) continue;
            onFull();
            throw new RangeError('The reader does not keep up.');
          }
        };
        pass().catch((thrown: unknown) => {
          controller.error(thrown);
          reader.cancel(thrown).catch(() => {});
        });
      },
      cancel: (reason) => reader.cancel(reason),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: mostBytes }),
  );
  return new Response(body, response);
}
