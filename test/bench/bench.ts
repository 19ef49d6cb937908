/**
 * `npm run bench`: authchart beside the official client SDK, in one run.
 *
 *     npm run bench -- --json results.json    also as JSON
 *     npm run bench -- --quick                a fraction of the rounds, to see that it runs
 *     npm run bench -- --host                 only what servers with many users pay; parking 100,000 flows takes minutes
 *     npm run bench -- --strict               exit code 1 if a target of ours is not met, or could not be measured
 *
 * Timings of a shared machine pass or fail nothing by themselves: the table says what was met.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { buildPackage } from './built-package.ts';
import { type GatewayEffort, measureGatewayMemory, measureGatewayStreams } from './gateway-sections.ts';
import { type HostEffort, measureExpired, measureJournal, measureParked } from './host-sections.ts';
import type { BuiltPackage } from './our-client.ts';
import { type BuiltGateway, compareProtectedRequests } from './protected-requests.ts';
import { benchTable, type Comparison, type Figure, figureTable, judge, judgeFigure } from './report.ts';
import { compareFlows, compareHeap, compareImport, compareRequests, compareSize, compareWire, type Effort } from './sections.ts';

const THOROUGH: Effort & HostEffort & GatewayEffort = {
  importRounds: 15,
  requestRounds: 80,
  requestsPerRound: 2_000,
  protectedRounds: 80,
  flowRounds: 25,
  flowsPerRound: 50,
  waitingFlows: 1_000,
  parkedFlows: 100_000,
  parkedBefore: 10_000,
  expiredRounds: 15,
  expiredRequests: 10_000,
  journalRounds: 25,
  journalFlows: 50,
  streamedMegabytes: 1_000,
  firstBytes: 500,
};
const QUICK: Effort & HostEffort & GatewayEffort = {
  importRounds: 3,
  // A difference of microseconds: with less, the compiler's work is what is measured.
  requestRounds: 30,
  requestsPerRound: 2_000,
  protectedRounds: 20,
  flowRounds: 3,
  flowsPerRound: 20,
  waitingFlows: 50,
  parkedFlows: 1_000,
  parkedBefore: 1_000,
  expiredRounds: 3,
  expiredRequests: 1_000,
  journalRounds: 3,
  journalFlows: 20,
  streamedMegabytes: 100,
  firstBytes: 100,
};

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    host: { type: 'boolean', default: false },
  },
});
const effort = values.quick ? QUICK : THOROUGH;
const comparisons: Comparison[] = [];
const figures: Figure[] = [];

const entry = await section('build', () => buildPackage());
const built = (await import(entry)) as BuiltPackage;
if (!values.host) {
  await measure('bundle size', () => compareSize(entry));
  await measure('import time', () => compareImport(entry, effort));
  await measure('requests on the wire', () => compareWire(built));
  await measure('authorised request', () => compareRequests(built, effort));
  await measure('protected request', () => compareProtectedRequests(entry, effort.protectedRounds));
  const gateway = (await import(new URL('gateway.js', entry).href)) as BuiltGateway;
  figures.push(...(await section('streams through a gateway', () => measureGatewayStreams(entry, effort))));
  figures.push(...(await section('a full gateway', () => measureGatewayMemory(gateway))));
  await measure('whole flows', () => compareFlows(built, effort));
  await measure('waiting flows', () => compareHeap(built, effort));
}
const bare = (await import(await buildPackage({ withJournal: false }))) as BuiltPackage;
figures.push(...(await section('journal', () => measureJournal(built, bare, effort))));
figures.push(...(await section('expired token', () => measureExpired(built, effort))));
figures.push(...(await section('parked flows', () => measureParked(entry, effort))));

const judged = comparisons.map(judge);
const judgedFigures = figures.map(judgeFigure);
const sdkVersion = await versionOf('@modelcontextprotocol/client');
const machine = `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`;
console.log(`\nauthchart beside @modelcontextprotocol/client ${sdkVersion}, ${machine}`);
if (judged.length > 0) console.log(benchTable(judged));
console.log(figureTable(judgedFigures));
if (values.json !== undefined) {
  await writeFile(values.json, `${JSON.stringify({ sdkVersion, machine, comparisons: judged, figures: judgedFigures }, null, 2)}\n`);
}
if (values.strict && [...judged, ...judgedFigures].some(({ met }) => met === false)) process.exitCode = 1;

async function measure(name: string, compare: () => Promise<readonly Comparison[]>): Promise<void> {
  comparisons.push(...(await section(name, compare)));
}

async function section<T>(name: string, run: () => Promise<T>): Promise<T> {
  process.stderr.write(pc.dim(`${name} … `));
  const startedAt = performance.now();
  const result = await run();
  process.stderr.write(pc.dim(`${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`));
  return result;
}

/** Of the installed package; its `exports` hide its package.json from a resolver. */
async function versionOf(name: string): Promise<string> {
  const description = await readFile(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8');
  return (JSON.parse(description) as { version: string }).version;
}
