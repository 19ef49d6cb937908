/** A body that a test feeds by hand. */
export function fedBody() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let cancelled = 0;
  const stream = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
    },
    cancel() {
      cancelled += 1;
    },
  });
  return {
    stream,
    push: (text: string) => controller?.enqueue(new TextEncoder().encode(text)),
    end: () => controller?.close(),
    fail: () => controller?.error(new Error('The backend went away.')),
    get cancelled() {
      return cancelled;
    },
  };
}
