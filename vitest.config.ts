import { defineConfig } from 'vitest/config';
import { ProcessTotals } from './test/tools/process-totals.ts';
import { StrictReporter } from './test/tools/strict-reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', new ProcessTotals(), new StrictReporter()],
    // Real sockets and timers of one file must not reach another; processes also give the CLI tests their own environment.
    pool: 'forks',
    // CI machines may have two cores; more workers than cores only make time-bound tests slow.
    maxWorkers: 2,
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    // Long enough for a busy machine: it only ends tests that hang.
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // As long, less the time to tell what it waited for: what is polled for comes, or the test hangs.
    expect: { poll: { timeout: 15_000 } },
    unstubGlobals: true,
    unstubEnvs: true,
    restoreMocks: true,
  },
});
