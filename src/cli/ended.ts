/** Reasons for a command to end early that are no failure of a flow. */
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';

/** Carries its exit code and what to say, in words of ours. */
export class Ended extends Error {
  override readonly name = 'Ended';
  readonly exitCode: ExitCode;
  /** A stable word for machines. */
  readonly code: string;
  readonly advice: string | undefined;

  constructor(exitCode: ExitCode, code: string, message: string, advice?: string) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
    this.advice = advice;
  }
}

export function usageError(message: string): Ended {
  return new Ended(EXIT_CODES.usage, 'usage', message, 'See authchart --help.');
}

const EXIT_CODE_OF_SIGNAL = { SIGHUP: EXIT_CODES.hungUp, SIGINT: EXIT_CODES.interrupted, SIGTERM: EXIT_CODES.terminated } as const;

export type EndingSignal = keyof typeof EXIT_CODE_OF_SIGNAL;

export function interruptedBy(signal: EndingSignal): Ended {
  return new Ended(EXIT_CODE_OF_SIGNAL[signal], 'interrupted', 'Interrupted.');
}

export function timedOut(seconds: number): Ended {
  return new Ended(
    EXIT_CODES.timedOut,
    'timeout',
    `Gave up after ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`,
    'Give it more time with --timeout.',
  );
}

/** Whoever reads the output has gone: nothing can be said to them. */
export function outputClosed(): Ended {
  return new Ended(EXIT_CODES.outputClosed, 'output_closed', 'The output was closed.');
}
