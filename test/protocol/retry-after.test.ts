import { expect, it } from 'vitest';
import { retryAfterSeconds } from '../../src/protocol/retry-after.ts';

const now = Date.parse('2026-01-01T00:00:00Z');

it.each([
  ['120', 120],
  [' 0 ', 0],
  ['Thu, 01 Jan 2026 00:01:30 GMT', 90],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ['soon', undefined],
  ['-5', undefined],
  ['1.5', undefined],
  ['', undefined],
])('reads Retry-After %s as %s seconds', (value, expected) => {
  expect(retryAfterSeconds(new Headers({ 'retry-after': value }), now)).toBe(expected);
});

it('measures a date against the clock of the server that named it', () => {
  const headers = new Headers({ 'retry-after': 'Thu, 01 Jan 2026 10:00:30 GMT', date: 'Thu, 01 Jan 2026 10:00:00 GMT' });
  expect(retryAfterSeconds(headers, now)).toBe(30);
});

it('says nothing where the server does not', () => {
  expect(retryAfterSeconds(new Headers(), now)).toBeUndefined();
});
