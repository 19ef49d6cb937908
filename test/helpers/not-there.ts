import type { TestContext } from 'vitest';
import { NOT_THERE } from '../tools/strict-reporter.ts';

/** Ends a test that needs something real which this machine has not: reported by name, and in CI a failure. */
export function notThere(context: TestContext, report: string): never {
  if (process.env['CI'] === 'true') throw new Error(`${NOT_THERE}${report}`);
  return context.skip(`${NOT_THERE}${report}`);
}
