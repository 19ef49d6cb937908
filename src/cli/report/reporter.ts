/** How a command speaks: to a person at a terminal, to a log file, or to a program. */
import type { Failure } from '../../failure.ts';
import type { LogRecord } from '../../options.ts';
import type { AuthorizationStatus, Progress } from '../../status.ts';
import type { Ended } from '../ended.ts';
import type { Style } from './style.ts';

export interface UsageMistake {
  readonly code: 'usage';
  readonly message: string;
  readonly advice: string;
}

export interface ReporterOptions {
  /** Show the log. */
  readonly verbose: boolean;
  /** A browser is started by itself. */
  readonly opensBrowser: boolean;
}

export interface Reporter {
  configure(options: ReporterOptions): void;
  /** The flow went on. */
  status(status: AuthorizationStatus, progress: Progress): void;
  /** Something a person should know beside the steps. */
  note(text: string): void;
  /** Keeps quiet while something else talks to the user on the same terminal; returns what ends that. */
  yieldTerminal(): () => void;
  log(record: LogRecord): void;
  /** A command that goes on says where it is: `fields` for machines, `text` for people on stderr. */
  announce(event: string, fields: Readonly<Record<string, unknown>>, text: (style: Style) => string): void;
  /** The result: `fields` for machines, `text` for people, both on stdout. */
  result(command: string, fields: Readonly<Record<string, unknown>>, text: (style: Style) => string): void;
  failure(failure: Failure, exitCode: number): void;
  usage(mistake: UsageMistake, exitCode: number): void;
  ended(ended: Ended): void;
  /** Leaves the terminal as it was; may be called more than once. */
  stop(): void;
}
