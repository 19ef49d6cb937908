/**
 * A Vitest reporter: a run in which a test was skipped has failed, and the last line
 * says in plain numbers how many passed and failed. Only a database that a developer's
 * machine has not may be missing; what did not run for it is reported by its name.
 */
import type { Reporter, TestCase, TestModule, TestRunEndReason, Vitest } from 'vitest/node';

/** Begins the note of a test that was skipped because what it runs against is not there; in CI such a test fails instead. */
export const NOT_THERE = 'not there: ';

export class StrictReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: TestRunEndReason): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const brokenFiles = modules.filter((module) => module.errors().length > 0).length;
    const missing = process.env['CI'] === 'true' ? [] : tests.map(noteOf).filter((note) => note.startsWith(NOT_THERE));
    for (const note of new Set(missing)) console.error(`${missing.filter((other) => other === note).length} tests did not run, ${note}`);
    const skipped = this.#vitest?.config.testNamePattern === undefined ? count('skipped') - missing.length : 0;
    if (skipped > 0) process.exitCode = 1;
    if (skipped > 0) console.error(`${skipped} tests were skipped: a test that does not run proves nothing.`);
    console.log(`${count('passed')} passed, ${count('failed') + brokenFiles + errors.length + skipped} failed`);
    if (reason === 'interrupted') process.exitCode = 1;
  }
}

function noteOf(test: TestCase): string {
  const result = test.result();
  return result.state === 'skipped' ? (result.note ?? '') : '';
}
