/** What the command line tells the shell. Documented in `docs/command-line.md`; numbers never change their meaning. */
import type { Failure } from '../failure.ts';

export const EXIT_CODES = {
  ok: 0,
  /** Something authchart has no name for. */
  unexpected: 1,
  /** The command line or the client's configuration has to change. */
  usage: 2,
  /** Nobody is signed in, or a client identifier has to be given. */
  signInNeeded: 3,
  /** The authorization ended without a login: refused, too late, or to be started again. */
  notAuthorized: 4,
  /** A server or the network is down; the same command may succeed later. */
  tryLater: 5,
  /** A server breaks a rule of the protocol; its operator has to fix it. */
  serverAtFault: 6,
  /** The store could not be read or written. */
  storeFailed: 7,
  /** `fetch --fail`: the answer has a status of 400 or above (as curl has it). */
  httpError: 22,
  /** `--timeout` ran out (as timeout(1) has it). */
  timedOut: 124,
  /** Its terminal was closed. */
  hungUp: 129,
  /** Ctrl-C. */
  interrupted: 130,
  /** Whoever read the output has gone, as in `authchart fetch … | head -1`. */
  outputClosed: 141,
  /** Terminated from outside. */
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

/** The exit code of a failed flow. */
export function exitCodeOf(failure: Failure): ExitCode {
  if (failure.code === 'internal_error') return EXIT_CODES.unexpected;
  if (failure.phase === 'storage' || failure.code === 'store_failed' || failure.code === 'record_unreadable') {
    return EXIT_CODES.storeFailed;
  }
  switch (failure.action) {
    case 'retry':
      return EXIT_CODES.tryLater;
    case 'reconfigure':
      return EXIT_CODES.usage;
    case 'report-to-server':
      return EXIT_CODES.serverAtFault;
    case 'provide-client-identifier':
      return EXIT_CODES.signInNeeded;
    case 'authorize-again':
    case 'none':
      return EXIT_CODES.notAuthorized;
  }
}
