/** The conformance run as a table for people. */
import pc from 'picocolors';
import { table } from 'table';
import type { ScenarioResult } from './suite.ts';

const MARKS = {
  passed: pc.green('✓ passed'),
  'passed with warnings': pc.yellow('! warnings'),
  failed: pc.red('✗ failed'),
} as const;

/** One line for a scenario that has just ended. */
export function resultLine(result: ScenarioResult): string {
  const seconds = (result.durationMs / 1000).toFixed(1);
  return `${MARKS[result.verdict]}  ${result.scenario} ${pc.dim(`(${result.revision}, ${seconds} s)`)}`;
}

/** The table, what is left for later, and the sums. */
export function conformanceReport(results: readonly ScenarioResult[], later: readonly string[], verbose: boolean): string {
  const rows = results.map((result) => [
    result.scenario,
    result.revision,
    `${result.checks.passed}/${result.checks.passed + result.checks.failed}`,
    String(result.checks.warnings),
    result.client,
    MARKS[result.verdict],
    pc.dim(result.namedBy.join(', ')),
  ]);
  const head = ['scenario', 'revision', 'checks', 'warnings', 'our client', 'verdict', 'required by'].map((title) => pc.bold(title));
  const troubled = results.filter(({ problems }) => problems.length > 0);
  return [
    table([head, ...rows], { drawHorizontalLine: (line, count) => line <= 1 || line === count }),
    'Belong to a later issue, not counted:',
    ...later.map((scenario) => pc.dim(`  ${scenario}`)),
    '',
    ...troubled.flatMap((result) => [...problemLines(result), ...(verbose ? [result.output] : [])]),
    sums(results),
  ].join('\n');
}

function problemLines({ scenario, revision, problems }: ScenarioResult): string[] {
  return [pc.bold(`${scenario} (${revision})`), ...problems.map((problem) => `  ${problem}`), ''];
}

function sums(results: readonly ScenarioResult[]): string {
  const count = (verdict: ScenarioResult['verdict']): number => results.filter((result) => result.verdict === verdict).length;
  const checks = results.reduce((sum, result) => sum + result.checks.passed, 0);
  const failed = count('failed');
  const text = `${results.length - failed} of ${results.length} scenarios passed, ${count('passed with warnings')} of them with warnings; ${checks} checks.`;
  return failed === 0 ? pc.green(text) : pc.red(text);
}
