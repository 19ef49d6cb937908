/** Tells the operator why a person's sign-in came to nothing, and what to do: the client is told little of it (RFC 6749 section 4.1.2.1). */
import { FAILURE_CODES } from '../../failure-codes.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import type { TransactionState } from './transactions.ts';

export function logEnded({ log }: Pick<GatewaySettings, 'log'>, { step, context: { failure } }: TransactionState): void {
  const code = failure?.code;
  const known = code !== undefined && Object.hasOwn(FAILURE_CODES, code) ? FAILURE_CODES[code as keyof typeof FAILURE_CODES] : undefined;
  // A person who refuses is no failure of anything.
  log(step === 'denied' ? 'info' : 'warn', 'gateway.transaction-ended', { step, code, ...(known && { advice: known.advice }) });
}
