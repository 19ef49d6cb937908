/** Answers whose body fails half way: the connection breaks, so that nobody takes what came for the whole. */
import type { ServerResponse } from 'node:http';

/**
 * The adapter to Node would print the error, which names the backend's address, to stderr, past the log and the reporter.
 *
 * @param onBroken not called where it is the reader who left
 */
export function breakingOff(response: Response, outgoing: ServerResponse, onBroken: (thrown: unknown) => void): Response {
  if (response.body === null) return response;
  const reader = response.body.getReader();
  let isLeft = false;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (isLeft) return;
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (thrown) {
          // Its end cancels this stream, which is neither closed nor failed until then.
          if (!outgoing.destroyed && !isLeft) onBroken(thrown);
          outgoing.destroy();
        }
      },
      cancel(reason) {
        isLeft = true;
        return reader.cancel(reason).catch(() => {});
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, response);
}
