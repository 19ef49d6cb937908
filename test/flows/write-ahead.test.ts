import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import type { RequestPurpose } from '../fixtures/scripted/recording.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

describe('every request of a login that may not be repeated', () => {
  it('is sent only after the step that sends it is in the store (RES-01, RES-08)', async () => {
    const clock = simulatedClock();
    const store = memoryStore({ clock });
    const { write } = store;
    // As slow as a disk: an effect that did not wait for it would be seen.
    const slowStore = Object.assign({}, store, {
      write: async (...parameters: Parameters<typeof write>) => {
        await new Promise((resolve) => setImmediate(resolve));
        return write(...parameters);
      },
    });
    const stepInStore = new Map<RequestPurpose, JsonValue | undefined>();
    const world = scene({ clock, store: slowStore });
    for (const purpose of ['registration', 'token'] as const) {
      world.servers.respond(purpose, async (_, proceed) => {
        const flow = await store.read(`flow/default/${encodeURIComponent(world.servers.resource.url)}`);
        stepInStore.set(purpose, flow?.value['value']);
        return proceed();
      });
    }
    expect((await world.client.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(Object.fromEntries(stepInStore)).toEqual({
      registration: { working: { loggingIn: 'registering' } },
      token: { working: { loggingIn: 'exchangingCode' } },
    });
  });
});
