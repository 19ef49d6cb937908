import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BUILT } from './build-application.ts';

describe('an application bundled for browsers', () => {
  it.each(['application', 'stores'])('needs nothing of Node, and no chunk beside it: %s', (page) => {
    expect(JSON.parse(readFileSync(join(BUILT, `${page}.imports.json`), 'utf8'))).toEqual([]);
    expect(readFileSync(join(BUILT, `${page}.js`), 'utf8')).not.toMatch(
      /\b(require\(|process\.(env|version|platform)|Buffer\.from|from\s*["']node:)/,
    );
  });
});
