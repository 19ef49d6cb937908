/**
 * `npm run conformance`: the MCP conformance suite's verdict on authchart.
 *
 * Runs every client scenario whose name begins with `auth/` of the requirement
 * sets 2025-11-25 and 2026-07-28 and of the suites auth, backcompat and draft;
 * each counts, there is no list of expected failures. Exit code 1 if one fails.
 *
 *     npm run conformance -- auth/iss       only scenarios whose name contains this
 *     npm run conformance -- --verbose      everything the suite printed where something failed
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { conformanceReport, resultLine } from './report.ts';
import { type PlannedScenario, runScenario, type ScenarioResult, type Selection, scenariosOf } from './suite.ts';

const COUNTED: readonly Selection[] = [
  { requirements: '2025-11-25' },
  { requirements: '2026-07-28' },
  { suite: 'auth' },
  { suite: 'backcompat' },
  { suite: 'draft' },
];

/** Grants without a user and sender-constrained tokens (GRA) belong to a later issue. */
const LATER: Selection = { suite: 'extensions' };

// Each scenario is two processes that start up and then mostly wait for each other.
const AT_ONCE = Math.max(2, availableParallelism());

const { values, positionals } = parseArgs({ allowPositionals: true, options: { verbose: { type: 'boolean' } } });

const later = new Set((await scenariosOf(LATER)).map(({ scenario }) => scenario));
const planned = await plan(later);
const [filter = ''] = positionals;
const chosen = planned.filter(({ scenario }) => scenario.includes(filter));
const results = await atMost(AT_ONCE, chosen, async (scenario) => {
  const result = await runScenario(scenario);
  console.error(resultLine(result));
  return result;
});
console.log(conformanceReport(results, [...later].filter(isAboutAuthorization), values.verbose ?? false));
process.exitCode = results.length > 0 && results.every(({ verdict }) => verdict !== 'failed') ? 0 : 1;

/** Every scenario to run, once for each revision that it is spoken in. */
async function plan(notCounted: ReadonlySet<string>): Promise<readonly PlannedScenario[]> {
  const found = new Map<string, PlannedScenario>();
  for (const selection of COUNTED) {
    const name = 'suite' in selection ? selection.suite : selection.requirements;
    for (const { scenario, revision } of await scenariosOf(selection)) {
      if (!isAboutAuthorization(scenario) || notCounted.has(scenario)) continue;
      const key = `${scenario} ${revision}`;
      const known = found.get(key) ?? { scenario, revision, namedBy: [], pinRevision: 'requirements' in selection };
      found.set(key, { ...known, namedBy: [...known.namedBy, name] });
    }
  }
  return [...found.values()];
}

function isAboutAuthorization(scenario: string): boolean {
  return scenario.startsWith('auth/');
}

async function atMost(
  count: number,
  work: readonly PlannedScenario[],
  run: (scenario: PlannedScenario) => Promise<ScenarioResult>,
): Promise<readonly ScenarioResult[]> {
  const waiting = work.entries();
  const done: ScenarioResult[] = [];
  const worker = async (): Promise<void> => {
    for (const [index, scenario] of waiting) done[index] = await run(scenario);
  };
  await Promise.all(Array.from({ length: count }, worker));
  return done;
}
