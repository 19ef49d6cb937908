/** What a command has of its process, so that tests can run it without one. */
import type { Readable, Writable } from 'node:stream';
import { interruptedBy } from './ended.ts';

export type TerminalReadable = Readable & { readonly isTTY?: boolean };
export type TerminalWritable = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

export interface CommandLineIo {
  readonly stdin: TerminalReadable;
  readonly stdout: TerminalWritable;
  readonly stderr: TerminalWritable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted with an `Ended` by SIGINT or SIGTERM. */
  readonly interrupted: AbortSignal;
}

/** The real process. The first signal ends the command in order, the second one at once. */
export function processIo(): CommandLineIo {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => controller.abort(interruptedBy(signal)));
  }
  const { stdin, stdout, stderr, env } = process;
  return { stdin, stdout, stderr, env, interrupted: controller.signal };
}
