/**
 * A Vitest reporter: a run in which a test was skipped has failed, and the last line
 * says in plain numbers how many passed and failed.
 */
import type { Reporter, TestModule, TestRunEndReason, Vitest } from 'vitest/node';

export class StrictReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: TestRunEndReason): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const brokenFiles = modules.filter((module) => module.errors().length > 0).length;
    const skipped = this.#vitest?.config.testNamePattern === undefined ? count('skipped') : 0;
    if (skipped > 0) process.exitCode = 1;
    if (skipped > 0) console.error(`${skipped} tests were skipped: a test that does not run proves nothing.`);
    console.log(`${count('passed')} passed, ${count('failed') + brokenFiles + errors.length + skipped} failed`);
    if (reason === 'interrupted') process.exitCode = 1;
  }
}
