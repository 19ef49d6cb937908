/** Random choices that are the same for the same seed. */
export interface Random {
  /** At least 0, less than 1. */
  next(): number;
  pick<Choice>(choices: readonly Choice[]): Choice;
}

/** Mulberry32: small, and random enough to shuffle events. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    pick<Choice>(choices: readonly Choice[]): Choice {
      return choices[Math.floor(next() * choices.length)] as Choice;
    },
  };
}
