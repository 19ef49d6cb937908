/** What every command gets. */
import type { CommonOptions } from './common-options.ts';
import type { CommandLineIo } from './io.ts';
import type { CommandLineParts } from './parts.ts';
import type { Reporter } from './report/reporter.ts';

export interface CommandContext {
  readonly io: CommandLineIo;
  readonly parts: CommandLineParts;
  readonly reporter: Reporter;
  readonly options: CommonOptions;
  /** Aborted with an `Ended`: interrupted, timed out, or nobody reads the output any more. */
  readonly signal: AbortSignal;
}
