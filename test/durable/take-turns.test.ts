import { describe, expect, it } from 'vitest';
import { takeTurn } from '../../src/durable/take-turns.ts';
import { settled, simulatedClock } from '../helpers/simulated-clock.ts';

const HOURS_MS = 5 * 3_600_000;

describe('whoever waits for a lease that another keeps', () => {
  it.each([
    ['is not set', 0],
    ['is set back by hours', -HOURS_MS],
    ['is set ahead by hours', HOURS_MS],
  ])('gives up when its own time is over, where the clock %s meanwhile (RFR-05, RES-05)', async (_, byMs) => {
    const clock = simulatedClock();
    const waiting = {
      clock,
      waitMs: 10_000,
      busy: { code: 'refresh_busy', phase: 'refresh' },
      signal: new AbortController().signal,
    } as const;
    let failure: unknown;
    const turn = takeTurn({ tryAcquire: async () => undefined }, 'a', waiting).catch((thrown: { failure: unknown }) => {
      failure = thrown.failure;
    });
    await settled();
    await clock.advance(5_000);
    clock.setBy(byMs);
    await clock.advance(4_500);
    expect(failure).toBeUndefined();
    await clock.advance(1_000);
    await turn;
    expect(failure).toMatchObject({ code: 'refresh_busy' });
  });
});
