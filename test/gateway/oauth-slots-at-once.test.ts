import { expect, it } from 'vitest';
import type { Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { authorizeUrl, register, registeredClient } from '../helpers/gateway-scene.ts';
import { scriptedGateway } from '../helpers/scripted-gateway.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

/** Before the next record of a kind is written, another process has written into the same slot. */
function contestedStore(clock: ReturnType<typeof simulatedClock>): { store: Store; contest(kind: string, times: number): void } {
  const inner = memoryStore({ clock });
  const left = new Map<string, number>();
  return {
    contest: (kind, times) => void left.set(kind, times),
    store: {
      ...inner,
      async write(key, value, options) {
        const [, , kind = ''] = key.split('/');
        const times = left.get(kind) ?? 0;
        if (options?.expected === null && times > 0) {
          left.set(kind, times - 1);
          await inner.write(key, { of: 'another' }, options);
        }
        return inner.write(key, value, options);
      },
    },
  };
}

function scene() {
  const clock = simulatedClock();
  const contested = contestedStore(clock);
  return { ...contested, ...scriptedGateway({ clock, store: contested.store }) };
}

it('a slot that another client took at the same moment is left to it, and the registration gets the next (GWY-05)', async () => {
  const { gateway, contest } = scene();
  contest('client', 3);
  expect((await register(gateway)).status).toBe(201);
  contest('client', 100);
  expect(await register(gateway)).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
});

it('a slot that another sign-in took at the same moment is left to it, and the sign-in gets the next (GWY-04)', async () => {
  const { gateway, contest, browser } = scene();
  const clientId = await registeredClient(gateway);
  contest('transaction', 3);
  const page = await browser().open(authorizeUrl(clientId));
  expect([page.response?.status, page.html.includes('<form')]).toEqual([200, true]);
  contest('transaction', 100);
  const landing = await browser().open(authorizeUrl(clientId));
  expect(landing.url.searchParams.get('error')).toBe('temporarily_unavailable');
});
