import { describe, expect, it } from 'vitest';
import { type Chunk, type JoinedChunks, joinedChunks } from '../../src/cli/gateway/joined-chunks.ts';

const SMALL = 50;
/** No two chunks alike. */
const chunk = (bytes: number, seed: number): Chunk => new Uint8Array(bytes).map((_, index) => seed + index);

function taken(joined: JoinedChunks): Chunk[] {
  const all: Chunk[] = [];
  for (let one = joined.take(); one !== undefined; one = joined.take()) all.push(one);
  return all;
}

describe('chunks that wait for their reader', () => {
  it('are kept in few pieces where they are small, so that what is counted is what is kept (GWY-01)', () => {
    const joined = joinedChunks();
    for (let times = 0; times < 20_000; times += 1) joined.add(chunk(SMALL, times));
    expect(joined.pieces).toBe(17);
    expect(joined.bytes).toBe(SMALL + 16 * 65_536);
  });

  it('that are empty are not kept (GWY-01)', () => {
    const joined = joinedChunks();
    for (let times = 0; times < 10; times += 1) joined.add(new Uint8Array(0));
    expect([joined.pieces, joined.bytes]).toEqual([0, 0]);
    joined.add(chunk(1, 1));
    joined.add(new Uint8Array(0));
    expect([joined.pieces, joined.bytes]).toEqual([1, 1]);
  });

  it.each([[1, 1, 70_000, 3, 65_536, 65_535, 2], [70_000, 1, 200_000], [40_000, 40_000, 40_000], [5]])(
    'come out as they went in, in sizes of %i and on (GWY-01)',
    (...sizes) => {
      const chunks = sizes.map((bytes, index) => chunk(bytes, index));
      const joined = joinedChunks();
      for (const one of chunks) joined.add(one);
      expect(Buffer.concat(taken(joined)).equals(Buffer.concat(chunks))).toBe(true);
      expect([joined.pieces, joined.bytes]).toEqual([0, 0]);
    },
  );

  it('keep no larger buffer that they are a part of (GWY-01)', () => {
    const joined = joinedChunks();
    joined.add(chunk(1_000_000, 0).subarray(0, 10));
    joined.add(chunk(1_000_000, 0).subarray(10, 70_010));
    expect(taken(joined).map(({ buffer }) => buffer.byteLength)).toEqual([10, 70_000]);
  });
});
