/** docs/requirements.md: every requirement with the tests that prove it. */
import { isFinished, type Section } from './requirements.ts';
import type { TestTitle } from './test-titles.ts';
import { testsById } from './traceability.ts';

const link = (file: string) => `[${file.replace(/^test\//, '')}](../${file})`;

/** Titles hold whatever a test is about; in Markdown only words, please. */
const plain = (text: string) => text.replace(/[\\`*_{}[\]<>|#]/g, '\\$&');

export function requirementsDocument(sections: readonly Section[], titles: readonly TestTitle[]): string {
  const tests = testsById(titles);
  const proven = (section: Section) => section.requirements.filter(({ id }) => tests.has(id)).length;

  const summary = sections.map(
    (section) =>
      `| [${section.prefix}](#${section.prefix.toLowerCase()}) | ${section.title} | ${section.requirements.length} | ${proven(section)} |`,
  );
  const chapters = sections.flatMap(({ prefix, title, requirements }) => [
    `## ${prefix}`,
    '',
    `${title.charAt(0).toUpperCase()}${title.slice(1)}.`,
    '',
    ...requirements.flatMap(({ id, text }) => [
      `- **${id}** ${text}`,
      ...(tests.get(id) ?? []).map((test) => `  - ${link(test.file)}: ${plain(test.title)}`),
      ...(tests.has(id) ? [] : [`  - ${isFinished(id) ? '**no test names it**' : 'to come'}`]),
    ]),
    '',
  ]);
  return [
    '# Requirements',
    '',
    'What authchart must do, and the tests that prove it. A test names the requirements it proves in its title;',
    'this page is generated from those titles by `npm run docs`. CI fails when a finished requirement has no test,',
    'and when a test names a requirement that does not exist.',
    '',
    'In brackets, the source of a requirement: MCP is the MCP authorization specification (revision 2026-07-28), RFC and',
    'SEP are numbered, REF is the client flow this project reimplements, GW the gateway design, ASK what users ask for.',
    '',
    '| section | about | requirements | with tests |',
    '|---|---|---|---|',
    ...summary,
    '',
    ...chapters,
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}
