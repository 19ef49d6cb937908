/** Runs the conformance suite's own program. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SUITE_PROGRAM = fileURLToPath(new URL('dist/index.js', import.meta.resolve('@modelcontextprotocol/conformance/package.json')));
const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

// A scenario's program takes about a second; the suite's own default is 30 s.
const CLIENT_TIMEOUT_MS = 30_000;

export interface Scenario {
  readonly scenario: string;
  /** The protocol revision it is spoken in. */
  readonly revision: string;
}

export interface PlannedScenario extends Scenario {
  /** Requirement sets and suites that name it. */
  readonly namedBy: readonly string[];
  /** The suite is told the revision; if not, it takes the scenario's own. */
  readonly pinRevision: boolean;
}

export interface ScenarioResult extends PlannedScenario {
  readonly verdict: 'passed' | 'passed with warnings' | 'failed';
  readonly checks: { readonly passed: number; readonly failed: number; readonly warnings: number };
  /** How our client ended: `done`, or the code of its refusal. */
  readonly client: string;
  /** Checks that failed or warned, in the suite's words. */
  readonly problems: readonly string[];
  /** Everything the suite printed. */
  readonly output: string;
  readonly durationMs: number;
}

/** Which part of the suite: a requirement set (`--requirements`) or a suite (`--suite`). */
export type Selection = { readonly requirements: string } | { readonly suite: string };

/** Asks the suite itself, by running it with a client that only notes what it was started for. */
export async function scenariosOf(selection: Selection): Promise<readonly Scenario[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'authchart-conformance-'));
  try {
    const notes = path.join(directory, 'notes');
    const which = 'suite' in selection ? ['--suite', selection.suite] : ['--requirements', selection.requirements];
    await runSuite(['client', ...which, '--command', 'node test/conformance/note-scenario.ts'], { SCENARIO_NOTES: notes });
    const lines = (await readFile(notes, 'utf8')).trim().split('\n');
    const scenarios = lines.map((line) => JSON.parse(line) as Scenario);
    return scenarios.sort((one, other) => one.scenario.localeCompare(other.scenario));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export interface Check {
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'INFO' | 'SKIPPED';
  readonly id: string;
  readonly description: string;
  readonly errorMessage?: string;
}

/** Runs one scenario against `test/conformance/client.ts` and reads the suite's verdict. */
export async function runScenario(planned: PlannedScenario): Promise<ScenarioResult> {
  const directory = await mkdtemp(path.join(tmpdir(), 'authchart-conformance-'));
  const startedAt = performance.now();
  try {
    const revision = planned.pinRevision ? ['--spec-version', planned.revision, '--force'] : [];
    const { exitCode, output } = await runSuite([
      'client',
      ...['--scenario', planned.scenario, ...revision],
      ...['--command', 'node test/conformance/client.ts'],
      ...['--timeout', String(CLIENT_TIMEOUT_MS), '--output-dir', directory],
    ]);
    const results = await readResults(directory);
    const count = (status: Check['status']): number => results.checks.filter((check) => check.status === status).length;
    const checks = { passed: count('SUCCESS'), failed: count('FAILURE'), warnings: count('WARNING') };
    const crash = /CLIENT (TIMED OUT|EXITED WITH ERROR)/.exec(output)?.[0];
    // The suite exits with 1 for warnings, too; a crash or timeout of the client has no check of its own.
    const onlyWarnings = checks.failed === 0 && checks.warnings > 0 && crash === undefined;
    const failed = checks.passed === 0 || (exitCode !== 0 && !onlyWarnings);
    return {
      ...planned,
      verdict: failed ? 'failed' : checks.warnings > 0 ? 'passed with warnings' : 'passed',
      checks,
      client: clientOutcome(results.stdout),
      problems: [...problemsOf(results.checks), ...(crash === undefined ? [] : [crash.toLowerCase()])],
      output,
      durationMs: performance.now() - startedAt,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function problemsOf(checks: readonly Check[]): string[] {
  return checks
    .filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
    .map(({ status, id, description, errorMessage }) => `${status.toLowerCase()} ${id}: ${errorMessage ?? description}`);
}

/** The suite writes into a directory below, named after scenario and time. */
async function readResults(directory: string): Promise<{ checks: readonly Check[]; stdout: string }> {
  const files = await readdir(directory, { recursive: true });
  const read = async (name: string): Promise<string> => {
    const found = files.find((file) => path.basename(file) === name);
    return found === undefined ? '' : readFile(path.join(directory, found), 'utf8');
  };
  return { checks: JSON.parse((await read('checks.json')) || '[]') as Check[], stdout: await read('stdout.txt') };
}

function clientOutcome(stdout: string): string {
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) return 'crashed';
  const { outcome, code } = JSON.parse(last) as { outcome: string; code?: string };
  return code ?? outcome;
}

export function runSuite(
  parameters: readonly string[],
  environment: Record<string, string> = {},
  { onText, signal }: { readonly onText?: (text: string) => void; readonly signal?: AbortSignal } = {},
): Promise<{ exitCode: number; output: string }> {
  // The suite starts `node` through a shell: this Node, not the machine's own, has to be found first.
  const searchPath = `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH ?? ''}`;
  const child = spawn(process.execPath, [SUITE_PROGRAM, ...parameters], {
    cwd: PROJECT,
    env: { ...process.env, ...environment, PATH: searchPath },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      onText?.(text);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (exitCode) => resolve({ exitCode: exitCode ?? -1, output }));
  });
}
