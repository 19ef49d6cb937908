import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

describe('the way out of the protocol', () => {
  it('is one file, so that no request passes the policy by (SEC-03, SEC-02)', () => {
    const files = globSync(['src/protocol/*.ts', 'src/actors/*.ts', 'src/diagnosis/*.ts', 'src/records/*.ts']);
    expect(files.length).toBeGreaterThan(50);
    const calling = files.filter((file) => /\bfetch\(|\bhttps?\.request\(|XMLHttpRequest|import\('ky'\)/.test(readFileSync(file, 'utf8')));
    expect(calling).toEqual(['src/protocol/http.ts']);
  });
});
