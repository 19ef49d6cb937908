/** Small tools of measurement: interleaved rounds, so that a slow moment does not hit one side only. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Enough for the optimising compiler to be done with what every operation runs. */
const WARMING_OPERATIONS = 1_500;

export interface Contender {
  readonly name: string;
  /** One operation. */
  readonly run: () => Promise<unknown>;
}

/**
 * Milliseconds per operation of each contender, in its best of `rounds` rounds
 * in which each runs `operations` times in turn. The best and not the median:
 * whatever else the machine does can only add to a round. Two rounds before do
 * not count.
 */
export async function timePerOperation(
  contenders: readonly Contender[],
  { rounds, operations }: { readonly rounds: number; readonly operations: number },
): Promise<ReadonlyMap<string, number>> {
  const times = new Map(contenders.map(({ name }): [string, number[]] => [name, []]));
  for (let round = -2; round < rounds; round += 1) {
    for (const { name, run } of inTurn(contenders, round)) {
      globalThis.gc?.();
      const startedAt = performance.now();
      for (let operation = 0; operation < operations; operation += 1) await run();
      const each = (performance.now() - startedAt) / operations;
      if (round >= 0) times.get(name)?.push(each);
    }
  }
  return new Map([...times].map(([name, values]) => [name, Math.min(...values)]));
}

/** Another one first in each round: whoever comes second finds warmer caches. */
function inTurn(contenders: readonly Contender[], round: number): readonly Contender[] {
  const first = Math.abs(round) % contenders.length;
  return [...contenders.slice(first), ...contenders.slice(0, first)];
}

/** Bytes of heap that each of `count` results of `make` holds; each is given to `release` at the end. */
export async function heapPerItem<T>(
  count: number,
  make: () => Promise<T>,
  release: (item: T) => Promise<unknown> = async () => {},
): Promise<number> {
  if (!globalThis.gc) throw new Error('run with --expose-gc');
  const kept: T[] = [];
  // The first ones fill caches and compile code.
  for (let index = 0; index < Math.ceil(count / 10); index += 1) kept.push(await make());
  const before = settledHeap();
  for (let index = 0; index < count; index += 1) kept.push(await make());
  const each = (settledHeap() - before) / count;
  await Promise.all(kept.map(release));
  return each;
}

export function settledHeap(): number {
  for (let times = 0; times < 4; times += 1) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/**
 * Milliseconds of CPU per operation that each contender takes over the `base`: the median of the differences within
 * a round, in which all run in turn. CPU and not time, since others use the machine; of all threads, since collecting
 * garbage is part of the cost. It is never forced here: what followed a forced collection was measured
 * at twice its cost.
 */
export async function cpuOverBase(
  base: Contender,
  contenders: readonly Contender[],
  { rounds, operations }: { readonly rounds: number; readonly operations: number },
): Promise<ReadonlyMap<string, number>> {
  const over = new Map(contenders.map(({ name }): [string, number[]] => [name, []]));
  const all = [base, ...contenders];
  // Code is compiled while the first ones run.
  const before = Math.max(2, Math.ceil(WARMING_OPERATIONS / operations));
  for (let round = -before; round < rounds; round += 1) {
    const spent = new Map<string, number>();
    for (const { name, run } of inTurn(all, round)) {
      const since = process.cpuUsage();
      for (let operation = 0; operation < operations; operation += 1) await run();
      const { user, system } = process.cpuUsage(since);
      spent.set(name, (user + system) / 1000 / operations);
    }
    if (round < 0) continue;
    for (const [name, values] of over) values.push((spent.get(name) ?? Number.NaN) - (spent.get(base.name) ?? Number.NaN));
  }
  return new Map([...over].map(([name, values]) => [name, median(values)]));
}
