/**
 * `--json`: everything on stdout, one object a line, told apart by `type`, in the
 * order in which it happened. The last line is a `result` or an `error`.
 */
import type { CommandLineIo } from '../io.ts';
import type { Reporter } from './reporter.ts';

export function jsonReporter(io: CommandLineIo): Reporter {
  let verbose = false;
  let last = '';
  const write = (type: string, fields: Readonly<Record<string, unknown>>): void => {
    io.stdout.write(`${JSON.stringify({ type, ...fields })}\n`);
  };
  return {
    configure(options) {
      verbose = options.verbose;
    },
    status(status, progress) {
      const line = JSON.stringify({ ...status, progress });
      if (line === last) return;
      last = line;
      write('status', { ...status, progress });
    },
    note: (message) => write('note', { message }),
    yieldTerminal: () => () => {},
    log(record) {
      if (verbose) write('log', { record });
    },
    announce: (event, fields) => write(event, fields),
    result: (command, fields) => write('result', { command, ...fields }),
    failure: (failure, exitCode) => write('error', { exitCode, ...failure }),
    usage: (mistake, exitCode) => write('error', { exitCode, ...mistake }),
    ended: ({ exitCode, code, message, advice }) => write('error', { exitCode, code, message, advice }),
    stop() {},
  };
}
