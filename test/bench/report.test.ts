import { expect, it } from 'vitest';
import { figureTable, judge, judgeFigure } from './report.ts';

const row = { name: 'overhead', unit: 'µs', sdkName: 'withOAuth' };

it('judges a ratio by its target', () => {
  expect(judge({ ...row, ours: 5, sdk: 10, atMost: 0.5 })).toMatchObject({ ratio: 0.5, target: '≤ 0.50 ×', met: true });
  expect(judge({ ...row, ours: 6, sdk: 10, atMost: 0.5 }).met).toBe(false);
  expect(judge({ ...row, ours: 6, sdk: 10, atLeast: 0.5 }).met).toBe(true);
  expect(judge({ ...row, ours: 6, sdk: 6, exactly: 6 }).met).toBe(true);
});

it.each([
  [6.7, -0.5],
  [-0.5, 6.7],
  [-1, -2],
])('does not take noise for a target met: %d against %d', (ours, sdk) => {
  expect(judge({ ...row, ours, sdk, atMost: 1 })).toMatchObject({ ratio: Number.NaN, met: false });
});

it('judges a figure by its target, and does not take what could not be measured for met; a cost below zero is', () => {
  const figure = { name: 'memory', unit: 'MB', atMost: 50 };
  expect(judgeFigure({ ...figure, value: 50 }).met).toBe(true);
  expect(judgeFigure({ ...figure, value: 51 }).met).toBe(false);
  expect(judgeFigure({ ...figure, value: Number.NaN }).met).toBe(false);
  expect(judgeFigure({ ...figure, value: -1 }).met).toBe(true);
  expect(judgeFigure({ name: 'time', unit: 'ms', value: 1 }).met).toBeUndefined();
});

it('names a figure that was not measured, with its target not met', () => {
  const figure = judgeFigure({ name: 'parked in Redis', unit: 'MB', value: Number.NaN, atMost: 50 });
  expect(figureTable([figure])).toMatch(/parked in Redis.*not measured.*≤ 50 MB.*not met/);
});
