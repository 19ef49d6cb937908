/**
 * The requirements as data. `requirements.json` is the project's own copy of
 * their ids and texts; where the design folder they are written in is at hand
 * (it is not part of a clone), the copy is refreshed from it and compared with it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { FINISHED_REQUIREMENTS, FINISHED_SECTIONS, OPEN_REQUIREMENTS } from './finished.ts';

const DESIGN = '../shared/design/requirements.md';
export const COPY = 'test/tools/requirements/requirements.json';

export interface Section {
  readonly prefix: string;
  readonly title: string;
  readonly requirements: readonly { readonly id: string; readonly text: string }[];
}

/** Reads `## FET — the authorised fetch` headings and `- FET-01 text` lines. */
export function parseRequirements(markdown: string): readonly Section[] {
  const sections: { prefix: string; title: string; requirements: { id: string; text: string }[] }[] = [];
  for (const line of markdown.split('\n')) {
    const [, prefix, title] = /^## ([A-Z]{3}) — (.+)$/.exec(line) ?? [];
    if (prefix !== undefined && title !== undefined) sections.push({ prefix, title, requirements: [] });
    const [, id, text] = /^- ([A-Z]{3}-\d{2}) (.+)$/.exec(line) ?? [];
    if (id !== undefined && text !== undefined) sections.at(-1)?.requirements.push({ id, text });
  }
  return sections;
}

/** The copy as it has to be; undefined where the design folder is not at hand. */
export function freshCopy(): string | undefined {
  if (!existsSync(DESIGN)) return undefined;
  return `${JSON.stringify(parseRequirements(readFileSync(DESIGN, 'utf8')), null, 2)}\n`;
}

export function readRequirements(): readonly Section[] {
  return JSON.parse(readFileSync(COPY, 'utf8'));
}

/** Must a test prove it by now? */
export function isFinished(id: string): boolean {
  if (OPEN_REQUIREMENTS.includes(id)) return false;
  return FINISHED_SECTIONS.includes(id.slice(0, 3)) || FINISHED_REQUIREMENTS.includes(id);
}
