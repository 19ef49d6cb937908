/**
 * The documents that are made from the code. `node test/tools/docs.ts` writes
 * them; with `--check` it says which are stale and changes nothing.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { authorizationMachine } from '../../machines/authorization-machine.ts';
import { transactionMachine } from '../../machines/gateway/transaction-machine.ts';
import { decisionsIndex } from './decisions-index.ts';
import { errorsDocument } from './errors-document.ts';
import { CLIENT_PAGE } from './options/client-page.ts';
import { undocumentedOptions } from './options/exported-options.ts';
import { GATEWAY_PAGE } from './options/gateway-page.ts';
import { pageText } from './options/page.ts';
import { requirementsDocument } from './requirements/document.ts';
import { COPY, freshCopy, readRequirements } from './requirements/requirements.ts';
import { collectTestTitles } from './requirements/test-titles.ts';
import { traceabilityProblems } from './requirements/traceability.ts';
import { readChart } from './statechart/chart-model.ts';
import { chartAsSvg } from './statechart/chart-picture.ts';
import { chartAsMarkdown } from './statechart/chart-table.ts';

const isCheck = process.argv.includes('--check');

function current(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function complain(problem: string): void {
  console.error(problem);
  process.exitCode = 1;
}

function bring(path: string, content: string): void {
  if (content === current(path)) return;
  if (isCheck) {
    complain(`${path} is stale: run npm run docs.`);
    return;
  }
  writeFileSync(path, content);
  console.log(`wrote ${path}`);
}

for (const [name, machine] of [
  ['statechart', authorizationMachine],
  ['gateway-statechart', transactionMachine],
] as const) {
  const chart = readChart(machine);
  bring(`docs/${name}.svg`, await chartAsSvg(chart));
  bring(`docs/${name}.md`, chartAsMarkdown(chart, `${name}.svg`));
}
bring('docs/errors.md', errorsDocument());
bring('docs/decisions/README.md', decisionsIndex());
bring('docs/options.md', pageText(CLIENT_PAGE));
bring('docs/gateway-options.md', pageText(GATEWAY_PAGE));
for (const name of undocumentedOptions([CLIENT_PAGE, GATEWAY_PAGE]))
  complain(`${name} is exported, and no page of test/tools/options names it.`);

const copy = freshCopy();
if (copy !== undefined) bring(COPY, copy);
const sections = readRequirements();
const titles = await collectTestTitles();
bring('docs/requirements.md', requirementsDocument(sections, titles));
if (isCheck) for (const problem of traceabilityProblems(sections, titles)) complain(problem);
