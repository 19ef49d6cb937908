/** docs/decisions/README.md: every decision by its number and title, and which numbers are none. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

const DIGITS = 4;

export function decisionsIndex(): string {
  const decisions = globSync('docs/decisions/[0-9]*.md')
    .sort()
    .map((path) => {
      const file = basename(path);
      const number = file.slice(0, DIGITS);
      const [heading = ''] = readFileSync(path, 'utf8').split('\n');
      const title = heading.startsWith(`# ${number} — `) ? heading.slice(`# ${number} — `.length) : undefined;
      if (title === undefined) throw new Error(`${path} has to begin with "# ${number} — " and its title.`);
      return { number, file, title };
    });
  const newest = Number(decisions.at(-1)?.number ?? 0);
  const numbers = Array.from({ length: newest }, (_, index) => String(index + 1).padStart(DIGITS, '0'));
  const unused = numbers.filter((number) => !decisions.some((decision) => decision.number === number));
  return [
    '# Decisions',
    '',
    'Generated from the titles by `npm run docs`. Each says what was chosen, what spoke against it, and what it costs.',
    '',
    '| | decision |',
    '|---|---|',
    ...decisions.map(({ number, file, title }) => `| ${number} | [${title}](${file}) |`),
    '',
    ...(unused.length === 0 ? [] : [`There is no ${unused.join(', and no ')}: these numbers were never given out.`, '']),
  ].join('\n');
}
