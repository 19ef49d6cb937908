import { describe, expect, it } from 'vitest';
import { isFresh, maxAgeSeconds } from '../../src/protocol/metadata-age.ts';

describe('maxAgeSeconds', () => {
  it.each([
    [{}, undefined],
    [{ 'cache-control': 'public' }, undefined],
    [{ 'cache-control': 'public, Max-Age=600' }, 600],
    [{ 'cache-control': 'max-age="60"', age: '20' }, 40],
    [{ 'cache-control': 'max-age=60', age: '200' }, 0],
    [{ 'cache-control': 'max-age=60', age: 'x' }, 60],
    [{ 'cache-control': 'max-age=31536000, immutable' }, 86_400],
    [{ 'cache-control': 'max-age=600, no-store' }, 0],
    [{ 'cache-control': 'no-cache' }, 0],
    [{ 'cache-control': 'max-age=-5' }, undefined],
    [{ 'cache-control': 's-maxage=600, x-max-age=5' }, undefined],
  ])('reads %j as %s seconds (ASM-07)', (headers, seconds) => {
    expect(maxAgeSeconds(new Headers(headers))).toBe(seconds);
  });
});

describe('isFresh', () => {
  const limits = { metadataMaxAgeMs: 1000 };

  it('goes by what the server said, else by the limit (ASM-07)', () => {
    expect([isFresh(0, 60, 59_999, limits), isFresh(0, 60, 60_000, limits)]).toEqual([true, false]);
    expect([isFresh(0, undefined, 999, limits), isFresh(0, undefined, 1000, limits)]).toEqual([true, false]);
    expect(isFresh(0, 0, 0, limits)).toBe(false);
  });

  it('does not trust a record from the future (ASM-07)', () => {
    expect(isFresh(5000, 60, 4999, limits)).toBe(false);
  });
});
