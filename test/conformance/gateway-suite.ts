/** Runs the conformance suite's `authorization` command against a gateway, with a person who needs no browser. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { approveWithoutBrowser } from '../fixtures/browserless-user.ts';
import { type Check, runSuite } from './suite.ts';

export interface GatewayScenario {
  readonly scenario: string;
  /** The protocol revisions it belongs to. */
  readonly revisions: readonly string[];
}

export interface GatewayRun {
  readonly issuer: string;
  readonly resource: string;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  /** Where the suite listens for the person to come back. */
  readonly callbackPort: number;
  readonly revision: string;
}

export interface GatewayVerdict {
  readonly scenario: string;
  readonly verdict: 'passed' | 'passed with warnings' | 'failed' | 'not run';
  readonly checks: number;
  /** Checks that are not as they should be, in the suite's words. */
  readonly problems: readonly string[];
}

export interface GatewayRunResult {
  readonly verdicts: readonly GatewayVerdict[];
  readonly output: string;
  readonly durationMs: number;
}

// It waits five minutes for a person; ours is there at once.
const LONGEST_RUN_MS = 60_000;

/** Asks the suite itself what there is: `- name [revision,revision]`. */
export async function gatewayScenarios(): Promise<readonly GatewayScenario[]> {
  const { output } = await runSuite(['list', '--authorization']);
  return [...output.matchAll(/^ +- (\S+) \[([^\]]+)\]$/gm)].map(([, scenario = '', revisions = '']) => ({
    scenario,
    revisions: revisions.split(','),
  }));
}

/** One run of the suite; of every scenario that is `expected` there is a verdict. */
export async function runAgainstGateway(run: GatewayRun, expected: readonly string[]): Promise<GatewayRunResult> {
  const directory = await mkdtemp(path.join(tmpdir(), 'authchart-conformance-'));
  const startedAt = performance.now();
  const person = personAtCallback(`${run.issuer}/oauth/authorize?`);
  const over = new AbortController();
  try {
    const suite = runSuite(parametersOf(run, directory), {}, { onText: person.read, signal: over.signal });
    const { exitCode, output } = await Promise.race([suite, person.failed, tooLong()]);
    const results = await checksIn(directory);
    const verdicts = expected.map((scenario) => verdictOn(scenario, results.get(scenario) ?? []));
    const isExplained = exitCode === 0 || verdicts.some(({ verdict }) => verdict !== 'passed');
    return {
      verdicts: isExplained
        ? verdicts
        : verdicts.map((one) => ({ ...one, verdict: 'failed', problems: [`the suite ended with ${exitCode}`] })),
      output,
      durationMs: performance.now() - startedAt,
    };
  } catch (thrown) {
    const problems = [thrown instanceof Error ? thrown.message : String(thrown)];
    const verdicts = expected.map((scenario) => ({ scenario, verdict: 'not run' as const, checks: 0, problems }));
    return { verdicts, output: '', durationMs: performance.now() - startedAt };
  } finally {
    // It would go on waiting for the person.
    over.abort();
    await rm(directory, { recursive: true, force: true });
  }
}

function parametersOf(run: GatewayRun, directory: string): readonly string[] {
  return [
    'authorization',
    ...['--url', run.issuer, '--resource', run.resource, '--client-id', run.clientId],
    ...(run.clientSecret === undefined ? [] : ['--client-secret', run.clientSecret]),
    ...['--port', String(run.callbackPort), '--spec-version', run.revision, '--output-dir', directory],
  ];
}

/** Does what the suite asks for on its standard output: opens the URL, consents, signs in, and comes back to it. */
function personAtCallback(authorizeAt: string): { readonly read: (text: string) => void; readonly failed: Promise<never> } {
  let unread = '';
  let fail = (_reason: unknown): void => {};
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  const go = async (authorizationUrl: string): Promise<void> => {
    const page = await fetch(await approveWithoutBrowser(authorizationUrl), { headers: { connection: 'close' } });
    await page.text();
  };
  return {
    failed,
    read(text) {
      const lines = (unread + text).split('\n');
      unread = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith(authorizeAt)) go(line).catch(fail);
    },
  };
}

function tooLong(): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error('the suite came to no end')), LONGEST_RUN_MS).unref();
  });
}

/** The suite writes each scenario into a directory of its own, named after scenario and time. */
async function checksIn(directory: string): Promise<ReadonlyMap<string, readonly Check[]>> {
  const found = new Map<string, readonly Check[]>();
  for (const name of await readdir(directory)) {
    const scenario = /^authorization-server-(.+?)-\d{4}-\d\d-\d\dT/.exec(name)?.[1];
    if (scenario === undefined) continue;
    found.set(scenario, JSON.parse(await readFile(path.join(directory, name, 'checks.json'), 'utf8')) as Check[]);
  }
  return found;
}

function verdictOn(scenario: string, checks: readonly Check[]): GatewayVerdict {
  const of = (...statuses: readonly Check['status'][]): readonly Check[] => checks.filter(({ status }) => statuses.includes(status));
  const passed = of('SUCCESS').length;
  const problems = of('FAILURE', 'WARNING', 'SKIPPED').map(
    ({ status, id, description, errorMessage }) => `${status.toLowerCase()} ${id}: ${errorMessage ?? description}`,
  );
  if (of('FAILURE').length > 0) return { scenario, verdict: 'failed', checks: passed, problems };
  // A scenario that was skipped, or of which nothing was heard, proves nothing.
  if (passed === 0 || of('SKIPPED').length > 0) return { scenario, verdict: 'not run', checks: passed, problems };
  return { scenario, verdict: of('WARNING').length > 0 ? 'passed with warnings' : 'passed', checks: passed, problems };
}
