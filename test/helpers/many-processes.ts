/** Several programs that begin the same at the same time. */
import type { TestContext } from 'vitest';
import type { Outcome, Task } from '../fixtures/killable/contract.ts';
import { difference } from './kill-point.ts';
import type { Count, KillScene, StartOptions } from './kill-scene.ts';
import './kill-totals.ts';
import type { Program } from './killable-program.ts';

export const PROCESSES = 8;

export interface Together {
  /** Of those that were not killed. */
  readonly outcomes: readonly Outcome[];
  /** What all of them cost. */
  readonly spent: Count;
}

/** Starts them, gives all the task at once and waits until each has answered or is dead. */
export async function together(
  context: TestContext,
  scene: KillScene,
  given: { readonly situation: string; readonly store: string; readonly task?: Task; readonly start?: StartOptions },
): Promise<Together> {
  const { situation, store, task = { do: 'call', path: '' }, start } = given;
  const before = scene.count();
  const programs = await Promise.all(Array.from({ length: PROCESSES }, () => scene.start(start)));
  const startedAtMs = performance.now();
  let slowestMs = 0;
  const ended = await Promise.all(
    programs.map(async (program: Program) => {
      const outcome = await Promise.race([program.do(task), program.gone]);
      slowestMs = performance.now() - startedAtMs;
      return outcome;
    }),
  );
  const outcomes = ended.filter((outcome) => outcome !== undefined);
  const spent = difference(scene.count(), before);
  const { approvals, registrations, refreshes } = spent;
  context.task.meta.together = {
    situation,
    store,
    processes: PROCESSES,
    answered: outcomes.filter((outcome) => outcome === 200).length,
    approvals,
    registrations,
    refreshes,
    slowestMs,
  };
  return { outcomes, spent };
}
