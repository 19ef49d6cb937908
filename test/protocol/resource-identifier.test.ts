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
