/** What a command has of its process, so that tests can run it without one. */
import type { Readable, Writable } from 'node:stream';
import { type EndingSignal, interruptedBy } from './ended.ts';

export type TerminalReadable = Readable & { readonly isTTY?: boolean };
export type TerminalWritable = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

export interface CommandLineIo {
  readonly stdin: TerminalReadable;
  readonly stdout: TerminalWritable;
  readonly stderr: TerminalWritable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted with an `Ended` by SIGINT, SIGTERM or SIGHUP. */
  readonly interrupted: AbortSignal;
}

/** `npx` hands on the Ctrl-C that its program has got from the terminal already. */
const ECHO_MS = 1_000;

/**
 * The real process. The first signal ends the command in order; any that comes at least a second later ends it at once,
 * with the exit code of that signal.
 *
 * @param nowMs a clock that nobody sets
 */
export function processIo(nowMs: () => number = () => performance.now()): CommandLineIo {
  const controller = new AbortController();
  let firstAtMs: number | undefined;
  const onSignal = (signal: EndingSignal): void => {
    const ended = interruptedBy(signal);
    if (firstAtMs !== undefined && nowMs() - firstAtMs >= ECHO_MS) process.exit(ended.exitCode);
    firstAtMs ??= nowMs();
    controller.abort(ended);
  };
  // SIGHUP under nohup, too: Node undoes at its start what nohup asks for, and would end at once by it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  const { stdin, stdout, stderr, env } = process;
  return { stdin, stdout, stderr, env, interrupted: controller.signal };
}
