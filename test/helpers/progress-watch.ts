/** Progress never runs backwards within an attempt, in any flow of any test (OBS-03). */
import { afterEach, expect } from 'vitest';
import { attemptOf } from '../../machines/selectors.ts';
import type { AuthorizationClient } from '../../src/client.ts';

const backwards: string[] = [];

export function watchProgress(client: AuthorizationClient): void {
  let attempt: string | undefined;
  let reached = 0;
  client.subscribe(({ step }, { completed, total }) => {
    const current = attemptOf(client.actor.getSnapshot());
    // Signing out ends what an attempt has reached.
    if (current !== attempt || step === 'unauthorized') reached = 0;
    if (completed < reached || completed > total) backwards.push(`${step}: ${completed} of ${total} after ${reached}`);
    attempt = current;
    reached = completed;
  });
}

afterEach(() => {
  expect(backwards.splice(0)).toEqual([]);
});
