/**
 * What every store must do (STO-01), as a list of cases that any test framework
 * can run. It uses no test framework and nothing of Node, so that it runs in
 * browsers too.
 *
 * ```
 * for (const { title, run } of storeContract) it(title, () => run(makeStore))
 * ```
 */
import type { StoreUnderTest } from './store-contract-checks.ts';
import { leaseCases } from './store-contract-leases.ts';
import { recordCases } from './store-contract-records.ts';
import { watchCases } from './store-contract-watching.ts';

export type { StoreUnderTest } from './store-contract-checks.ts';

export type MakeStore = () => StoreUnderTest | Promise<StoreUnderTest>;

export interface StoreContractCase {
  readonly title: string;
  /** Makes a store, tries it and disposes of it; rejects with an Error that says what was wrong. */
  run(makeStore: MakeStore): Promise<void>;
}

export const storeContract: readonly StoreContractCase[] = Object.entries({ ...recordCases, ...leaseCases, ...watchCases }).map(
  ([title, run]) => ({
    title,
    async run(makeStore) {
      const under = await makeStore();
      const second = under.second ?? under.store;
      try {
        await run(under.store, under, (index) => (index % 2 === 0 ? under.store : second));
      } finally {
        await under.dispose?.();
      }
    },
  }),
);
