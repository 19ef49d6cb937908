/** Runs the command line in this process and keeps everything it says. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { afterEach } from 'vitest';
import { interruptedBy } from '../../src/cli/ended.ts';
import { type CommandLineParts, realParts } from '../../src/cli/parts.ts';
import { run } from '../../src/cli/run.ts';

export interface CommandRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of stdout, as `--json` writes them. */
  readonly lines: readonly JsonLine[];
}

export type JsonLine = Readonly<Record<string, unknown>> & { readonly type: string };

export interface RunOptions {
  readonly parts?: Partial<CommandLineParts>;
  readonly env?: Readonly<Record<string, string>>;
  /** stdout and stderr are terminals of this width. */
  readonly columns?: number;
  readonly stdin?: string | PassThrough;
  /** The signal came before the command began. */
  readonly interrupted?: boolean;
  readonly onStart?: (running: Running) => void;
  /** Sees what the command says as it says it. */
  readonly onOutput?: (running: Running) => void;
}

export interface Running {
  readonly stdout: string;
  readonly stderr: string;
  interrupt(): void;
  closeStdout(): void;
}

export async function runCommand(argv: readonly string[], options: RunOptions = {}): Promise<CommandRun> {
  const said = { stdout: '', stderr: '' };
  const interruption = new AbortController();
  if (options.interrupted === true) interruption.abort(interruptedBy('SIGINT'));
  const streamOf = (name: 'stdout' | 'stderr'): PassThrough => {
    const stream = new PassThrough({ encoding: 'utf8' });
    if (options.columns !== undefined) Object.assign(stream, { isTTY: true, columns: options.columns, rows: 50 });
    stream.on('data', (text: string) => {
      said[name] += text;
      options.onOutput?.(running);
    });
    return stream;
  };
  const stdout = streamOf('stdout');
  const stderr = streamOf('stderr');
  const running: Running = {
    get stdout() {
      return said.stdout;
    },
    get stderr() {
      return said.stderr;
    },
    interrupt: () => interruption.abort(interruptedBy('SIGINT')),
    closeStdout: () => void stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  };
  const io = { stdin: stdinOf(options.stdin ?? ''), stdout, stderr, env: options.env ?? {}, interrupted: interruption.signal };
  options.onStart?.(running);
  const exitCode = await run(argv, io, { ...realParts, ...options.parts });
  await Promise.all([stdout, stderr].map(drained));
  return { exitCode, ...said, lines: jsonLines(said.stdout) };
}

/** Everything that was written has been seen. */
async function drained(stream: PassThrough): Promise<void> {
  if (stream.destroyed) return;
  stream.end();
  await finished(stream);
}

function stdinOf(given: string | PassThrough): PassThrough {
  if (typeof given !== 'string') return given;
  const stdin = new PassThrough();
  stdin.end(given);
  return stdin;
}

function jsonLines(stdout: string): JsonLine[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.every((line) => line.startsWith('{')) ? lines.map((line) => JSON.parse(line) as JsonLine) : [];
}

const directories: string[] = [];

afterEach(async () => {
  // A client that is closed may still be deleting what has become useless; the directory is not empty in between.
  await Promise.all(
    directories.splice(0).map((directory) => rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })),
  );
});

/** A directory of the test, gone when it ends. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'authchart-cli-'));
  directories.push(directory);
  return directory;
}
