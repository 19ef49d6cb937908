/** The lease on the login of one account and resource: taken, kept and let go (RES-08). */
import type { HeldLease } from '../durable/lease.ts';
import { recordKey } from '../records/keys.ts';
import type { Environment } from './environment.ts';

export const flowLeaseKey = (resource: string, account: string): string => recordKey('lease', 'flow', account, resource);

/** The lease, unless another holds it. What the last login left here is freed first. */
export async function tryTakeFlowTurn(environment: Environment, key: string, signal: AbortSignal): Promise<HeldLease | undefined> {
  const { leases, open, cleanUps } = environment;
  await Promise.all(cleanUps);
  if (open.flowTurn?.isCurrent() === true) return open.flowTurn;
  await letGo(environment);
  const taking = leases.tryAcquire(key).then(async (turn) => {
    if (signal.aborted) await turn?.release();
    else open.flowTurn = turn;
    return open.flowTurn;
  });
  // Closing the client waits for it: nobody else would let go.
  const taken = taking.catch(() => undefined);
  cleanUps.add(taken);
  return taking.finally(() => cleanUps.delete(taken));
}

/** Ends the lease at once: nothing was recorded under it. */
export async function letGo({ open }: Environment): Promise<void> {
  const turn = open.flowTurn;
  open.flowTurn = undefined;
  await turn?.release();
}

/**
 * Ends the lease once how the login ended is in the store: whoever takes it next
 * finds it there. What cannot be stored is given up; the next holder then finds
 * an attempt that is closed, and begins anew.
 */
export async function letGoWhenStored(environment: Environment): Promise<void> {
  const { open, journal } = environment;
  const turn = open.flowTurn;
  if (turn === undefined) return;
  // The transition that ends the login is recorded right after its exit actions.
  await undefined;
  await journal.flushed().catch(() => journal.giveUp());
  if (open.flowTurn === turn) open.flowTurn = undefined;
  await turn.release();
}
