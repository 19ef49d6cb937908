/**
 * Grants that have to end, here and upstream (GWY-08): of codes that this process has handed
 * out and nobody came for, and of codes whose grant could not be ended when it had to. It is
 * done when the next request comes after they are due. Without a timer, since a library must
 * not keep a process alive, and workers have none between requests.
 */
import type { GatewaySettings } from './gateway-settings.ts';
import type { Grants } from './grants.ts';
import type { TransactionState, Transactions } from './transactions.ts';

export interface GrantsToEnd {
  /** A code was handed out, whose grant ends with it unless it is redeemed. */
  note(transactionId: string, dueEpochMs: number): void;
  /** Where the grant of a transaction could not be ended, says so in the log and to the caller, and tries again later. */
  endsLater(state: TransactionState): boolean;
  /** Ends what is due; `undefined` where nothing is. Never rejects. */
  sweep(): Promise<void> | undefined;
}

/** As many as a request may make work for. */
const MOST_AT_ONCE = 10;
const MOST_NOTED = 10_000;
const PENDING: ReadonlySet<string> = new Set(['lapsePending', 'revocationPending']);

export function createGrantsToEnd(
  { clock, log, limits }: Pick<GatewaySettings, 'clock' | 'log' | 'limits'>,
  transactions: Transactions,
  grants: Grants,
): GrantsToEnd {
  /** When each transaction is due, soonest first: all wait equally long. */
  const noted = new Map<string, number>();

  const note = (transactionId: string, dueEpochMs: number): void => {
    noted.delete(transactionId);
    noted.set(transactionId, dueEpochMs);
    const [oldest] = noted.keys();
    if (noted.size > MOST_NOTED && oldest !== undefined) noted.delete(oldest);
  };

  const tryAgain = (transactionId: string, step?: string): void => {
    log('warn', 'gateway.grant-not-ended', { step });
    note(transactionId, clock.now() + limits.codeSeconds * 1000);
  };

  const endsLater = ({ step, context }: TransactionState): boolean => {
    const isSo = PENDING.has(step);
    if (isSo) tryAgain(context.id, step);
    return isSo;
  };

  const end = async (id: string): Promise<void> => {
    try {
      // Redeemed, here or by another process, most of the time: then nothing happens.
      const sent = await transactions.send(id, { type: 'deadline.passed' }, { endGrant: ({ grantId }) => grants.end(grantId) });
      if (sent !== undefined) endsLater(sent.state);
    } catch {
      tryAgain(id);
    }
  };

  return {
    note,
    endsLater,
    sweep() {
      const due: string[] = [];
      for (const [id, dueEpochMs] of noted) {
        if (dueEpochMs > clock.now() || due.length === MOST_AT_ONCE) break;
        due.push(id);
      }
      for (const id of due) noted.delete(id);
      return due.length === 0 ? undefined : Promise.all(due.map(end)).then(() => undefined);
    },
  };
}
