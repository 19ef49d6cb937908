/**
 * Codes that this process has handed out and nobody came for: their grants are ended, here
 * and upstream, when the next request comes after their deadline (GWY-08). Without a timer,
 * since a library must not keep a process alive, and workers have none between requests.
 */
import type { GatewaySettings } from './gateway-settings.ts';
import type { Grants } from './grants.ts';
import type { Transactions } from './transactions.ts';

export interface UnclaimedCodes {
  /** A code was handed out. */
  note(transactionId: string, deadlineEpochMs: number): void;
  /** Ends what is over; `undefined` where nothing is. Never rejects. */
  sweep(): Promise<void> | undefined;
}

/** As many as a request may make work for. */
const MOST_AT_ONCE = 10;
const MOST_NOTED = 10_000;

export function createUnclaimedCodes(
  { clock, log }: Pick<GatewaySettings, 'clock' | 'log'>,
  transactions: Transactions,
  grants: Grants,
): UnclaimedCodes {
  /** Deadlines by transaction, oldest first: all codes last equally long. */
  const noted = new Map<string, number>();

  const lapse = async (id: string): Promise<void> => {
    try {
      const found = await transactions.read(id);
      // Redeemed, here or by another process, most of the time.
      if (found?.step === 'codeIssued')
        await transactions.send(id, { type: 'deadline.passed' }, { endGrant: ({ grantId }) => grants.end(grantId) });
    } catch {
      log('warn', 'gateway.unclaimed-code-kept');
    }
  };

  return {
    note(transactionId, deadlineEpochMs) {
      noted.set(transactionId, deadlineEpochMs);
      const [oldest] = noted.keys();
      if (noted.size > MOST_NOTED && oldest !== undefined) noted.delete(oldest);
    },
    sweep() {
      const over: string[] = [];
      for (const [id, deadlineEpochMs] of noted) {
        if (deadlineEpochMs > clock.now() || over.length === MOST_AT_ONCE) break;
        over.push(id);
      }
      for (const id of over) noted.delete(id);
      return over.length === 0 ? undefined : Promise.all(over.map(lapse)).then(() => undefined);
    },
  };
}
