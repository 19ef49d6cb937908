/** The conformance run against the gateway as a table for people. */
import pc from 'picocolors';
import { table } from 'table';
import type { GatewayVerdict } from './gateway-suite.ts';

export interface GatewayResult extends GatewayVerdict {
  readonly client: string;
  readonly revision: string;
  readonly output: string;
  readonly durationMs: number;
}

const MARKS = {
  passed: pc.green('✓ passed'),
  'passed with warnings': pc.yellow('! warnings'),
  failed: pc.red('✗ failed'),
  'not run': pc.red('✗ not run'),
} as const;

/** One line for a run that has just ended. */
export function gatewayResultLine({ verdict, scenario, client, revision, durationMs }: GatewayResult): string {
  return `${MARKS[verdict]}  ${scenario} ${pc.dim(`(${client}, ${revision}, ${(durationMs / 1000).toFixed(1)} s)`)}`;
}

/** A row for each scenario and client, a column for each revision; then what is wrong, and the sums. */
export function gatewayReport(results: readonly GatewayResult[], verbose: boolean): string {
  const revisions = [...new Set(results.map(({ revision }) => revision))];
  const rows = new Map(results.map(({ scenario, client }) => [JSON.stringify([scenario, client]), { scenario, client }]));
  const cells = [...rows.values()].map(({ scenario, client }) => [
    scenario,
    client,
    ...revisions.map((revision) => {
      const result = results.find((one) => one.scenario === scenario && one.client === client && one.revision === revision);
      return result === undefined ? pc.dim('–') : `${MARKS[result.verdict]} ${pc.dim(checksOf(result))}`;
    }),
  ]);
  const head = ['scenario', 'client', ...revisions].map((title) => pc.bold(title));
  return [
    table([head, ...cells], { drawHorizontalLine: (line, count) => line <= 1 || line === count }),
    ...results
      .filter(({ problems }) => problems.length > 0)
      .flatMap((result) => [...problemLines(result), ...(verbose ? [result.output] : [])]),
    sums(results),
  ].join('\n');
}

function checksOf({ checks }: GatewayResult): string {
  return checks === 1 ? '1 check' : `${checks} checks`;
}

function problemLines({ scenario, client, revision, problems }: GatewayResult): string[] {
  return [pc.bold(`${scenario} (${client}, ${revision})`), ...problems.map((problem) => `  ${problem}`), ''];
}

function sums(results: readonly GatewayResult[]): string {
  const good = results.filter(({ verdict }) => verdict === 'passed').length;
  const warned = results.filter(({ verdict }) => verdict === 'passed with warnings').length;
  const checks = results.reduce((sum, result) => sum + result.checks, 0);
  const text = `${good + warned} of ${results.length} scenarios passed, ${warned} of them with warnings; ${checks} checks.`;
  return good + warned === results.length && results.length > 0 ? pc.green(text) : pc.red(text);
}
