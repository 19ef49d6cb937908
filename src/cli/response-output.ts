/** Where the answer of `fetch` goes: stdout or a file, as it arrives. */
import { createWriteStream } from 'node:fs';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FetchOptions } from './commands/fetch.ts';
import type { CommandContext } from './context.ts';
import { outputClosed, usageError } from './ended.ts';

export async function writeResponse(context: CommandContext, response: Response, options: FetchOptions): Promise<void> {
  const { options: common, io, reporter, signal } = context;
  const { status, statusText } = response;
  const headers = [...response.headers];
  if (common.json === true) {
    io.stdout.write(`${JSON.stringify({ type: 'response', status, statusText, headers: Object.fromEntries(headers) })}\n`);
  } else {
    reporter.stop();
    if (options.include === true) {
      const lines = [`HTTP ${status} ${statusText}`.trimEnd(), ...headers.map(([name, value]) => `${name}: ${value}`), '', ''];
      io.stdout.write(lines.map(harmless).join('\n'));
    }
  }
  const counted = { bytes: 0 };
  if (response.body !== null) {
    await copy(counting(response.body, counted), target(context, response, options), signal);
  }
  const output = options.output === undefined ? {} : { output: options.output };
  reporter.result('fetch', { status, bytes: counted.bytes, ...output }, () => '');
}

/** HTTP lets control characters through, the status line even the one that begins commands to the terminal. */
function harmless(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
}

async function* counting(body: ReadableStream<Uint8Array>, counted: { bytes: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    counted.bytes += chunk.byteLength;
    yield chunk;
  }
}

async function copy(
  body: AsyncIterable<Uint8Array>,
  to: { readonly stream: Writable; readonly end: boolean },
  signal: AbortSignal,
): Promise<void> {
  try {
    await pipeline(body, to.stream, { signal, end: to.end });
  } catch (thrown) {
    signal.throwIfAborted();
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
    if (code === 'EPIPE') throw outputClosed();
    if (thrown instanceof Error && 'syscall' in thrown && 'path' in thrown) throw usageError('The file of --output cannot be written.');
    throw thrown;
  }
}

function target(
  { io, options: common }: CommandContext,
  response: Response,
  options: FetchOptions,
): { readonly stream: Writable; readonly end: boolean } {
  if (options.output !== undefined) return { stream: createWriteStream(options.output), end: true };
  if (common.json === true) return { stream: jsonLines(io.stdout, isText(response.headers.get('content-type'))), end: true };
  return { stream: io.stdout, end: false };
}

/** A line for each piece that arrives, so that a stream of events can be followed. */
function jsonLines(stdout: Writable, text: boolean): Writable {
  const decoder = new TextDecoder();
  const line = (piece: { text: string } | { base64: string }): string => `${JSON.stringify({ type: 'body', ...piece })}\n`;
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      stdout.write(line(text ? { text: decoder.decode(chunk, { stream: true }) } : { base64: chunk.toString('base64') }), done);
    },
    final(done) {
      const rest = decoder.decode();
      if (rest === '') done();
      else stdout.write(line({ text: rest }), done);
    },
  });
}

function isText(contentType: string | null): boolean {
  return /^(text\/|application\/([\w.-]+\+)?(json|xml)\b|application\/x-www-form-urlencoded)/i.test(contentType ?? '');
}
