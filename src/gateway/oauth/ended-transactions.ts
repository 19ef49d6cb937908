/** Tells the operator why a person's sign-in came to nothing, and what to do: the client is told little of it (RFC 6749 section 4.1.2.1). */
import { FAILURE_CODES, type FailureCode } from '../../failure-codes.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import type { TransactionState } from './transactions.ts';

/** Where the table of codes speaks of what a client can change, and the operator of a gateway can change something else. */
const OWN_ADVICE: Partial<Readonly<Record<FailureCode, string>>> = {
  client_rejected:
    'Check `upstream.clientId` (--client-id) and its secret or key: they have to be what is registered at the identity provider.',
  issuer_mismatch: 'Let `upstream.issuer` (--issuer) be what the metadata of the identity provider names, to the letter.',
  metadata_incomplete:
    'See that `upstream.issuer` (--issuer) is right, or name `upstream.endpoints` (--authorize-endpoint, --token-endpoint).',
  network_timeout: 'It may pass; `limits.upstreamTimeoutMs` says how long the identity provider may take.',
  response_too_large: 'Report it to the identity provider.',
  authorization_expired: 'The person begins again; `limits.transactionSeconds` says how long they may take.',
};

export function logEnded({ log }: Pick<GatewaySettings, 'log'>, { step, context: { failure } }: TransactionState): void {
  const code = failure?.code;
  // A person who refuses is no failure of anything.
  log(step === 'denied' ? 'info' : 'warn', 'gateway.transaction-ended', { step, code, ...(isKnown(code) && { advice: adviceOf(code) }) });
}

const isKnown = (code: string | undefined): code is FailureCode => code !== undefined && Object.hasOwn(FAILURE_CODES, code);

const adviceOf = (code: FailureCode): string => OWN_ADVICE[code] ?? FAILURE_CODES[code].advice;
