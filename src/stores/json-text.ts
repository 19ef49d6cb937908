/** Values on their way into a store. */
import { FailureError } from '../failure.ts';
import type { JsonObject } from './contract.ts';

/** JSON text of a value; what JSON cannot say is refused without quoting it. */
export function jsonText(value: JsonObject): string {
  try {
    return JSON.stringify(value);
  } catch {
    throw new FailureError('store_failed', 'storage', { reason: 'The value is not plain JSON.' });
  }
}
