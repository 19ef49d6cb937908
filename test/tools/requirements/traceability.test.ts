import { describe, expect, it } from 'vitest';
import { requirementsDocument } from './document.ts';
import { parseRequirements } from './requirements.ts';
import { traceabilityProblems } from './traceability.ts';

const sections = parseRequirements(`# Requirements
- CHA-00 before any section
## CHA — challenges

- CHA-01 Challenges are parsed. [RFC9110]
- CHA-02 Only Bearer counts.

## OUT — the way out
- OUT-01 It is found.
`);

describe('requirements', () => {
  it('are read with their sections', () => {
    expect(sections.map(({ prefix, requirements }) => [prefix, requirements.map(({ id }) => id)])).toEqual([
      ['CHA', ['CHA-01', 'CHA-02']],
      ['OUT', ['OUT-01']],
    ]);
  });

  it('of finished sections need a test, those of others do not', () => {
    const titles = [{ file: 'test/a.test.ts', title: 'a challenge > is parsed (CHA-01)' }];
    expect(traceabilityProblems(sections, titles)).toEqual(['CHA-02 is finished, but no test names it.']);
  });

  it('that do not exist may not be named', () => {
    // Not written as one word, or this test would name it, too.
    const unknown = ['CHA', '77'].join('-');
    const titles = ['CHA-01', 'CHA-02', unknown].map((id) => ({ file: 'test/a.test.ts', title: `does something (${id})` }));
    expect(traceabilityProblems(sections, titles)).toEqual([
      `test/a.test.ts names ${unknown}, which does not exist: does something (${unknown})`,
    ]);
  });

  it('stand in the document with their tests', () => {
    const titles = [{ file: 'test/a.test.ts', title: 'parses *all* of it (CHA-01)' }];
    const lines = requirementsDocument(sections, titles).split('\n');
    expect(lines).toContain('| [CHA](#cha) | challenges | 2 | 1 |');
    expect(lines).toContain('- **CHA-01** Challenges are parsed. [RFC9110]');
    expect(lines).toContain('  - [a.test.ts](../test/a.test.ts): parses \\*all\\* of it (CHA-01)');
    expect(lines).toContain('  - **no test names it**');
    expect(lines).toContain('  - to come');
  });
});
