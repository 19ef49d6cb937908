/** What the tests that kill processes leave for the totals at the end of a run: `test/tools/process-totals.ts` prints them. */

/** One program was killed at one moment, and what it had begun was finished. */
export interface KillOutcome {
  readonly flow: string;
  readonly store: string;
  /** Times the person had to approve beyond what the flow needs by itself. */
  readonly askedAgain: number;
  readonly orphans: number;
  readonly codesSentTwice: number;
  readonly refreshTokensSentTwice: number;
  /** From the moment at which the next process is up to its answer; it is not its doing that others use the processor. */
  readonly recoveryMs: number;
}

/** Several processes at work on one store at once. */
export interface TogetherOutcome {
  readonly situation: string;
  readonly store: string;
  readonly processes: number;
  readonly answered: number;
  readonly approvals: number;
  readonly registrations: number;
  readonly refreshes: number;
  readonly slowestMs: number;
}

declare module 'vitest' {
  interface TaskMeta {
    /** Tests that kill set it, also if they then fail: what was killed and not recovered shows in the totals. */
    killed?: { readonly flow: string; readonly store: string };
    recovered?: KillOutcome;
    together?: TogetherOutcome;
  }
}
