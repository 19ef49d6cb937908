/** What a transaction must remember and its chart must not know: sealed, and gone soon after its deadline. */
import * as z from 'zod/mini';
import { decodeRecord, RECORD_FORMAT } from '../../records/record-format.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import type { UpstreamAttempt } from './upstream.ts';

export interface SecretsOfTransaction {
  /** `state` of the client, to be returned as it came. */
  readonly clientState?: string | undefined;
  readonly attempt?: UpstreamAttempt | undefined;
}

export interface TransactionSecrets {
  read(id: string): Promise<SecretsOfTransaction>;
  write(id: string, secrets: SecretsOfTransaction): Promise<void>;
}

const record = z.object({
  clientState: z.optional(z.string()),
  attempt: z.optional(z.object({ verifier: z.string(), nonce: z.string(), state: z.string() })),
});

export function createTransactionSecrets({
  vault,
  clock,
  limits,
}: Pick<GatewaySettings, 'vault' | 'clock' | 'limits'>): TransactionSecrets {
  const keyOf = (id: string): string => `secret/${id}`;
  return {
    async read(id) {
      const found = await vault.read(keyOf(id));
      return found === undefined ? {} : decodeRecord('gateway secret', record, found);
    },
    async write(id, { clientState, attempt }) {
      const value = {
        format: RECORD_FORMAT,
        ...(clientState !== undefined && { clientState }),
        ...(attempt && { attempt: { ...attempt } }),
      };
      await vault.write(keyOf(id), value, { expiresAtEpochMs: clock.now() + limits.transactionSeconds * 1000 });
    },
  };
}
