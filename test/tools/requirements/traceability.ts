/** Which tests prove which requirement, by the ids in their titles. */
import { isFinished, type Section } from './requirements.ts';
import type { TestTitle } from './test-titles.ts';

const ID = /\b[A-Z]{3}-\d{2}\b/g;

export function testsById(titles: readonly TestTitle[]): ReadonlyMap<string, readonly TestTitle[]> {
  const found = new Map<string, TestTitle[]>();
  for (const title of titles) {
    for (const id of new Set(title.title.match(ID))) found.set(id, [...(found.get(id) ?? []), title]);
  }
  return found;
}

/** What CI fails on: a finished requirement without a test, and a test for a requirement that does not exist. */
export function traceabilityProblems(sections: readonly Section[], titles: readonly TestTitle[]): readonly string[] {
  const tests = testsById(titles);
  const ids = new Set(sections.flatMap(({ requirements }) => requirements.map(({ id }) => id)));
  return [
    ...[...ids].filter((id) => isFinished(id) && !tests.has(id)).map((id) => `${id} is finished, but no test names it.`),
    ...[...tests]
      .filter(([id]) => !ids.has(id))
      .flatMap(([id, named]) => named.map(({ file, title }) => `${file} names ${id}, which does not exist: ${title}`)),
  ];
}
