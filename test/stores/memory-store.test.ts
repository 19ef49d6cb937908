import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { storeContract } from '../../src/stores/store-contract.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

describe('memory store', () => {
  for (const { title, run } of storeContract) {
    it(`${title} (STO-01)`, async () => {
      await run(() => {
        const clock = simulatedClock();
        return { store: memoryStore({ clock }), advance: clock.advance };
      });
    });
  }

  it('shares nothing between two stores', async () => {
    await memoryStore().write('a', { n: 1 });
    expect(await memoryStore().read('a')).toBeUndefined();
  });

  it('refuses a value that is not JSON without quoting it', async () => {
    const cyclic: { secret: string; self?: unknown } = { secret: 'planted-secret' };
    cyclic.self = cyclic;
    const refusal = await memoryStore()
      .write('a', cyclic as never)
      .catch((thrown: unknown) => thrown);
    expect(refusal).toMatchObject({ failure: { code: 'store_failed' } });
    expect(String(refusal)).not.toContain('planted-secret');
  });

  it('drops expired records that nobody asks for, however many are written', async () => {
    const clock = simulatedClock();
    const store = memoryStore({ clock });
    const before = heapBytes();
    for (let hour = 0; hour < 50; hour += 1) {
      for (let index = 0; index < 20; index += 1) {
        await store.write(`attempt/${hour}/${index}`, { text: 'x'.repeat(100_000) }, { expiresAtEpochMs: clock.now() + 60_000 });
      }
      await clock.advance(3_600_000);
    }
    // 50 × 20 × 100 kB would be 100 MB.
    expect(heapBytes() - before).toBeLessThan(40_000_000);
  });
});

function heapBytes(): number {
  setFlagsFromString('--expose_gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}
