import { describe, expect, it } from 'vitest';
import { FailureError } from '../../src/failure.ts';
import { canonicalResource, isInsideResource, isResourceOf } from '../../src/protocol/resource-identifier.ts';

describe('canonicalResource', () => {
  it.each([
    ['https://mcp.example.com', 'https://mcp.example.com'],
    ['https://mcp.example.com/', 'https://mcp.example.com'],
    ['https://mcp.example.com/mcp', 'https://mcp.example.com/mcp'],
    ['https://mcp.example.com/mcp/', 'https://mcp.example.com/mcp/'],
    ['HTTPS://MCP.Example.COM:443/Mcp', 'https://mcp.example.com/Mcp'],
    ['https://mcp.example.com:8443', 'https://mcp.example.com:8443'],
    ['https://mcp.example.com/a/../mcp?tenant=1#part', 'https://mcp.example.com/mcp?tenant=1'],
    ['https://mcp.example.com?tenant=1', 'https://mcp.example.com?tenant=1'],
    ['http://127.0.0.1:80/mcp', 'http://127.0.0.1/mcp'],
  ])('writes %s as %s', (given, canonical) => {
    expect(canonicalResource(given)).toBe(canonical);
    expect(canonicalResource(new URL(given))).toBe(canonical);
    expect(canonicalResource(canonical)).toBe(canonical);
  });

  it.each([
    'mcp.example.com',
    '/mcp',
    '',
    'ftp://h/',
    'javascript:alert(1)',
    'https://user:secret@h/',
    'https:h',
    'https:///h',
    'https://h\\@evil/',
    'https://h/\n',
  ])('refuses %j', (given) => {
    const refused = (): string => canonicalResource(given);
    expect(refused).toThrow(FailureError);
    expect(refused).toThrow(expect.objectContaining({ failure: expect.objectContaining({ code: 'invalid_configuration' }) }));
    expect(refused).not.toThrow(/secret/);
  });
});

describe('isInsideResource', () => {
  const resource = 'https://h.example/mcp';

  it.each([
    ['https://h.example/mcp', true, true],
    ['https://h.example/mcp?x=1', true, true],
    ['https://h.example/mcp/', true, true],
    ['https://h.example/mcp/messages', true, true],
    ['https://H.EXAMPLE:443/mcp', true, true],
    ['https://h.example/messages', true, false],
    ['https://h.example/mcpx', true, false],
    ['https://h.example/mcp%2Fx', true, false],
    ['https://h.example/mcp/../admin', true, false],
    ['https://h.example/MCP', true, false],
    ['http://h.example/mcp', false, false],
    ['https://h.example:8443/mcp', false, false],
    ['https://h.example.evil/mcp', false, false],
    ['https://evil.example/https://h.example/mcp', false, false],
    ['blob:https://h.example/mcp', false, false],
    ['data:text/plain,https://h.example/mcp', false, false],
  ])('sorts %s', (url, byOrigin, byPath) => {
    expect([isInsideResource(resource, new URL(url), 'origin'), isInsideResource(resource, new URL(url), 'path')]).toEqual([
      byOrigin,
      byPath,
    ]);
  });

  it('takes a resource without path as its whole origin', () => {
    expect(isInsideResource('https://h.example', new URL('https://h.example/any/where'), 'path')).toBe(true);
  });
});

describe('ways out of the path that decoders make', () => {
  const resource = 'https://h.example/mcp';
  const isInside = (path: string): boolean => isInsideResource(resource, new URL(`${resource}/${path}`), 'path');
  const hex = (byte: number): string => `%${byte.toString(16).padStart(2, '0')}`;
  const escaped = (text: string): string => [...text].map((character) => hex(character.charCodeAt(0))).join('');
  /** One character, written so that it takes at most one decoding more to read it. */
  const SPELLINGS: readonly ((character: string) => string)[] = [
    (character) => character,
    (character) => escaped(character),
    (character) => escaped(character).toUpperCase(),
    (character) => hex(0xc0 | (character.charCodeAt(0) >> 6)) + hex(0x80 | (character.charCodeAt(0) & 0x3f)),
    (character) => `%e0${hex(0x80 | (character.charCodeAt(0) >> 6))}${hex(0x80 | (character.charCodeAt(0) & 0x3f))}`,
    (character) => `%f0%80${hex(0x80 | (character.charCodeAt(0) >> 6))}${hex(0x80 | (character.charCodeAt(0) & 0x3f))}`,
    (character) => `%u00${hex(character.charCodeAt(0)).slice(1)}`,
    (character) => `%09${character}`,
  ];
  /** The same numbers at each run. */
  const numbers = (seed: number): ((below: number) => number) => {
    let state = seed;
    return (below) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  };
  const spelt = (text: string, next: (below: number) => number): string =>
    [...text].map((character) => SPELLINGS[next(SPELLINGS.length)]?.(character)).join('');

  it('are found in every mixture of spellings, up to three times over (FET-02, GWY-01)', () => {
    const next = numbers(1);
    const missed: string[] = [];
    for (let round = 0; round < 5_000; round += 1) {
      let path = ['../admin', '..\\admin', '..;x/admin', '..?x', '..#x', '..\0x', '..'][next(7)] ?? '';
      for (let times = next(4); times > 0; times -= 1) path = spelt(path, next);
      if (isInside(path.replaceAll(/[#?\0]/g, escaped))) missed.push(path);
    }
    expect(missed).toEqual([]);
  });

  it.each([
    '..%c0%2fadmin',
    '%c0%2e%c0%2e%2fadmin',
    '..%c1%1cadmin',
    '..%c1%9cadmin',
    '..%25c0%252fadmin',
    '%f8%80%80%80%ae%fc%80%80%80%80%ae/admin',
    '..%u2215a',
    '..%u2216a',
    '..%e2%88%95a',
    '..%25u2215a',
    '%uff0e%uff0e/a',
    '\uff0e\uff0e/a',
    '%ef%bc%8e./a',
    '..%ef%bc%8fa',
    '..\uff0fa',
    '.%00./a',
    '.%2500./a',
    '.%c0%80./a',
    'a%00b',
  ])('are found where decoders take more for ASCII, or drop a NUL: %s (FET-02, GWY-01)', (path) => {
    expect(isInside(path)).toBe(false);
  });

  it('are not seen in wide characters elsewhere, nor in Latin-1 (FET-02, GWY-01)', () => {
    const elsewhere = [
      'a\uff0fb',
      '\uff0e',
      'a\uff0e\uff0eb/c',
      '\u2215',
      '%u2215%uff0e',
      '%C0',
      '%C0@x',
      '%C1%20b',
      '%C0 la carte',
      '%E9t%E9',
      '%ue9',
    ];
    expect(elsewhere.filter((path) => !isInside(path))).toEqual([]);
  });

  it('are not seen in any other escape, of UTF-8, Latin-1, or what stands for itself (FET-02, GWY-01)', () => {
    const refused: string[] = [];
    for (let byte = 0; byte < 256; byte += 1) {
      for (const path of [`a${hex(byte)}b`, `..${hex(byte)}b`, hex(byte), `%25${hex(byte).slice(1)}/b`]) {
        if (!isInside(path)) refused.push(path);
      }
    }
    // Some server ends the segment here, and then it is the way out. A NUL is one in itself.
    expect(refused).toEqual(['a%00b', '..%00b', '%00', '%2500/b', '..%23b', '..%2fb', '..%3bb', '..%3fb', '..%5cb']);
    for (const path of ['%F0%9F%98%80', '%E0%A0%80..', '100%', '%u', '%zz', 'a%2Fb', '...', '%252e', '..%e2%80%ae/b']) {
      expect([path, isInside(path)]).toEqual([path, true]);
    }
  });
});

describe('isResourceOf', () => {
  const resource = 'https://h.example/a/mcp';

  it.each([
    'https://h.example/a/mcp',
    'HTTPS://H.Example:443/a/mcp',
    'https://h.example/a/mcp/',
    'https://h.example/a',
    'https://h.example/a/',
    'https://h.example',
    'https://h.example/',
  ])('accepts %s: the same URL, or a parent on a segment boundary (PRM-03)', (named) => {
    expect(isResourceOf(named, resource)).toBe(true);
  });

  it.each([
    'https://other.example/a/mcp',
    'https://h.example:8443/a/mcp',
    'http://h.example/a/mcp',
    'https://h.example/a/mcp/below',
    'https://h.example/a/mc',
    'https://h.example/b',
    'https://h.example/A/mcp',
    'https://h.example/a/mcp#x',
    'https://h.example/a/mcp?x=1',
    'https://user@h.example/a/mcp',
    'https://h.example\\a/mcp',
    'blob:https://h.example/a/mcp',
    'h.example/a/mcp',
    '',
  ])('refuses %j (PRM-03)', (named) => {
    expect(isResourceOf(named, resource)).toBe(false);
  });

  it('tells resources apart by their query (PRM-03)', () => {
    expect(isResourceOf('https://h.example/mcp?t=1', 'https://h.example/mcp?t=1')).toBe(true);
    expect(isResourceOf('https://h.example/mcp?t=2', 'https://h.example/mcp?t=1')).toBe(false);
    expect(isResourceOf('https://h.example/?t=1', 'https://h.example/mcp?t=1')).toBe(false);
    expect(isResourceOf('https://h.example/mcp', 'https://h.example/mcp?t=1')).toBe(true);
  });
});
