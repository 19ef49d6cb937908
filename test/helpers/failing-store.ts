import { FailureError } from '../../src/failure.ts';
import type { Store } from '../../src/stores/contract.ts';
import { wrappedStore } from './wrapped-store.ts';

export type FailureMode =
  /** The operation is not carried out. */
  | 'before'
  /** It is carried out, and its answer is lost. */
  | 'after'
  /** It is not carried out, and none after it: the process has died. */
  | 'dies'
  /** It is never answered. */
  | 'hangs'
  /** It is not answered, and carried out when `carryOut` is called. */
  | 'late';

/** Stores that fail at one operation, counted over all of them, so that a test can try each in turn. */
export function failingStores<Stores extends Readonly<Record<string, Store>>>(stores: Stores, failAt: number, mode: FailureMode) {
  let operations = 0;
  let late: (() => Promise<unknown>) | undefined;
  const failing = async (operation: () => Promise<unknown>): Promise<never> => {
    if (mode === 'after') await operation();
    if (mode === 'late') late = operation;
    if (mode === 'hangs' || mode === 'late') return new Promise<never>(() => {});
    throw new FailureError('store_failed', 'storage', { reason: 'injected' });
  };
  const wrap = (store: Store): Store =>
    wrappedStore(store, async (operation) => {
      operations += 1;
      const fails = mode === 'dies' ? operations >= failAt : operations === failAt;
      return fails ? failing(operation) : operation();
    });
  const wrapped = Object.fromEntries(Object.entries(stores).map(([name, store]) => [name, wrap(store)])) as {
    [Name in keyof Stores]: Store;
  };
  return { ...wrapped, failed: () => operations >= failAt, carryOut: async () => void (await late?.()) };
}

export const FAILURE_MODES: readonly FailureMode[] = ['before', 'after', 'dies'];

/**
 * Runs `scenario` with a failure at its first operation, at its second, and so on,
 * until one runs through without meeting it. Returns how many failures were tried.
 */
export async function atEveryOperation(
  mode: FailureMode,
  scenario: (
    failing: <Stores extends Readonly<Record<string, Store>>>(stores: Stores) => { [Name in keyof Stores]: Store },
  ) => Promise<void>,
): Promise<number> {
  for (let failAt = 1; ; failAt += 1) {
    let failed = (): boolean => false;
    await scenario((stores) => {
      const wrapped = failingStores(stores, failAt, mode);
      failed = wrapped.failed;
      return wrapped;
    });
    if (!failed()) return failAt - 1;
  }
}
