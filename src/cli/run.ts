/** The command line as a function: arguments in, exit code out. */
import { CommanderError } from 'commander';
import { AuthorizationError } from '../errors.ts';
import { failureOf } from '../failure.ts';
import { Ended, outputClosed } from './ended.ts';
import { EXIT_CODES, exitCodeOf } from './exit-codes.ts';
import type { CommandLineIo } from './io.ts';
import { type CommandLineParts, realParts } from './parts.ts';
import { createProgram } from './program.ts';
import { jsonReporter } from './report/json-reporter.ts';
import type { Reporter } from './report/reporter.ts';
import { terminalReporter } from './report/terminal-reporter.ts';
import { usageMistake } from './usage-mistake.ts';

/**
 * Runs one command.
 *
 * @param argv the arguments after the program's name
 * @returns one of `EXIT_CODES`; nothing is thrown
 */
export async function run(argv: readonly string[], io: CommandLineIo, parts: CommandLineParts = realParts): Promise<number> {
  // Known before the arguments are parsed: mistakes in them are reported in the same way.
  // What stands after `--` is not ours.
  const own = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const json = own.includes('--json');
  const reporter = json ? jsonReporter(io) : terminalReporter(io, parts.clock);
  const closed = stopOnClosedOutput(io);
  const outcome = { exitCode: EXIT_CODES.ok as number };
  const program = createProgram({ io: { ...io, interrupted: closed.signal }, parts, reporter, quiet: json, outcome });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return outcome.exitCode;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) return report(thrown, reporter);
    if (thrown.exitCode === 0) return EXIT_CODES.ok;
    reporter.usage(usageMistake(thrown, program, own), EXIT_CODES.usage);
    return EXIT_CODES.usage;
  } finally {
    reporter.stop();
    closed.release();
  }
}

function report(thrown: unknown, reporter: Reporter): number {
  if (thrown instanceof Ended) {
    if (thrown.exitCode !== EXIT_CODES.outputClosed) reporter.ended(thrown);
    return thrown.exitCode;
  }
  const failure = thrown instanceof AuthorizationError ? thrown.failure : failureOf(thrown, 'request');
  const exitCode = exitCodeOf(failure);
  reporter.failure(failure, exitCode);
  return exitCode;
}

/** A closed pipe (`| head -1`) ends the command quietly instead of as an uncaught error. */
function stopOnClosedOutput(io: CommandLineIo): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onError = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') controller.abort(outputClosed());
  };
  const streams = [io.stdout, io.stderr];
  for (const stream of streams) stream.on('error', onError);
  return {
    signal: AbortSignal.any([io.interrupted, controller.signal]),
    release() {
      // Kept on the real streams: a late EPIPE must not crash the process on its way out.
      for (const stream of streams) if (stream !== process.stdout && stream !== process.stderr) stream.off('error', onError);
    },
  };
}
