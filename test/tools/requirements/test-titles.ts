/** The titles of all tests. Their files are loaded rather than parsed: only so do tests made in a loop have titles. */
import { relative } from 'node:path';
import { createVitest } from 'vitest/node';

export interface TestTitle {
  readonly file: string;
  readonly title: string;
}

/** Those of `npm test`, and those of `npm run test:browser`: loading them needs no browser. */
const CONFIGS = ['vitest.config.ts', 'vitest.browser.config.ts'];

export async function collectTestTitles(): Promise<readonly TestTitle[]> {
  const titles: TestTitle[] = [];
  for (const config of CONFIGS) titles.push(...(await titlesOf(config)));
  return titles.sort((one, other) => (`${one.file} ${one.title}` < `${other.file} ${other.title}` ? -1 : 1));
}

async function titlesOf(config: string): Promise<readonly TestTitle[]> {
  const vitest = await createVitest('test', { config, watch: false, reporters: [] });
  try {
    const { testModules, unhandledErrors } = await vitest.collect([], { staticParse: false });
    const broken = [...unhandledErrors, ...testModules.flatMap((module) => module.errors())];
    if (broken.length > 0) throw new Error('Some test files cannot be loaded: run npm test.', { cause: broken[0] });
    return testModules.flatMap((module) =>
      [...module.children.allTests()].map((test) => ({ file: relative(process.cwd(), module.moduleId), title: test.fullName })),
    );
  } finally {
    await vitest.close();
  }
}
