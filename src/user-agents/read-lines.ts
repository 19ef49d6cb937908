/** Lines of a stream that is given back afterwards: neither closed nor left flowing. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Ends with the stream, or quietly when `signal` is aborted. */
export async function* readLines(input: Readable, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
  if (signal.aborted || input.readableEnded || input.destroyed) return;
  const lines = createInterface({ input, terminal: false, signal });
  try {
    yield* lines;
  } finally {
    lines.close();
  }
}
