import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory-store.ts';
import type { UserAgent } from '../../src/user-agents/contract.ts';
import { type FailureMode, failingStores } from '../helpers/failing-store.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { whileTimePasses } from '../helpers/waiting.ts';

/** A user who approves, and who loads the page again where it tells of a failure. */
function patientUser({ servers }: Scene): UserAgent {
  return {
    open: async ({ deliver }) => ({
      redirectUri: 'http://127.0.0.1:7777/callback',
      close: async () => {},
      present: async ({ authorizationUrl }) => {
        const callbackUrl = await servers.approve(authorizationUrl);
        const bring = async (times: number): Promise<void> => {
          const { accepted } = await deliver(callbackUrl);
          if (!accepted && times > 1) await bring(times - 1);
        };
        void bring(3);
      },
    }),
  };
}

interface Attempted {
  readonly failed: boolean;
  /** Status or error code of a first request, of the next, and of one of another process whose store is well. */
  readonly outcomes: readonly (number | string)[];
  readonly world: Scene;
}

/** A login whose store fails at its `failAt`th operation. */
async function loginWith(mode: FailureMode, failAt: number): Promise<Attempted> {
  const clock = simulatedClock();
  const store = memoryStore({ clock });
  const world = scene({ clock, store });
  const failing = failingStores({ store }, failAt, mode);
  const userAgent = patientUser(world);
  const client = world.another({ store: failing.store, userAgent });
  const well = world.another({ store, userAgent });
  const outcomes: (number | string)[] = [];
  for (const next of [client, client, well]) {
    const call = next.fetch(world.servers.resource.url, CALL);
    outcomes.push(
      await whileTimePasses(clock, call).then(
        ({ status }) => status,
        ({ code }) => code as string,
      ),
    );
  }
  return { failed: failing.failed(), outcomes, world };
}

describe('a store that fails at one operation of a login', () => {
  it.each<FailureMode>(['before', 'after'])(
    'costs at most that request, loses nothing and hangs nowhere, at whichever operation it is (%s it is carried out) (RES-02, AUT-05)',
    async (mode) => {
      let failAt = 1;
      for (; ; failAt += 1) {
        const { failed, outcomes, world } = await loginWith(mode, failAt);
        const where = `operation ${failAt}`;
        expect([200, 'store_failed'], where).toContain(outcomes[0]);
        expect(outcomes.slice(1), where).toEqual([200, 200]);
        expect(world.servers.violations, where).toEqual([]);
        const asked = world.servers.requests.filter(({ purpose }) => purpose === 'authorization');
        expect(asked.length, where).toBeLessThanOrEqual(2);
        expect(world.servers.requestsFor('registration').length, where).toBeLessThanOrEqual(2);
        if (!failed) break;
      }
      expect(failAt).toBeGreaterThan(30);
    },
  );
});
