/** The clock of the machine is set by hours, ahead or back, in the middle of everything. */
import { describe, expect, it } from 'vitest';
import type { AuthorizationClient } from '../../src/client.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { mortalProcess } from '../helpers/mortal-process.ts';
import { patientUser } from '../helpers/patient-user.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { failureOfCall, untilStep, whileTimePasses } from '../helpers/waiting.ts';

const HOURS_MS = 5 * 3_600_000;
const USER_DEADLINE_MS = 600_000;
const DIRECTIONS = [
  ['ahead', HOURS_MS],
  ['back', -HOURS_MS],
] as const;

type Outcome = number | string;

interface Flow {
  readonly name: string;
  readonly before?: (world: Scene) => Promise<unknown>;
  readonly path?: string;
}

const FLOWS: readonly Flow[] = [
  { name: 'a login' },
  {
    name: 'a refresh',
    async before(world) {
      await world.client.fetch(world.servers.resource.url, CALL);
      await world.clock.advance(UNTIL_EXPIRED_MS);
    },
  },
  { name: 'a step-up', before: (world) => world.client.fetch(`${world.servers.resource.url}/read`, CALL), path: '/write' },
];

async function withClockSet({ before, path = '' }: Flow, byMs: number, at: number) {
  const clock = simulatedClock();
  const store = memoryStore({ clock });
  const world = scene({ clock, store, resource: { scopesFor: ({ url }) => url.pathname.split('/').slice(2) } });
  if (before !== undefined) await whileTimePasses(clock, before(world));
  let wasSet = false;
  const { store: watched, fetch } = mortalProcess({ store, fetch: world.servers.fetch }, (_, index) => {
    if (index === at && !wasSet) {
      wasSet = true;
      clock.setBy(byMs);
    }
    return false;
  });
  const userAgent = patientUser(world.servers);
  const client = world.another({ store: watched, fetch, userAgent });
  const call = (one: AuthorizationClient): Promise<Outcome> =>
    whileTimePasses(clock, one.fetch(`${world.servers.resource.url}${path}`, CALL), 1_000, USER_DEADLINE_MS).then(
      ({ status }) => status,
      (error: { code?: string }) => error.code ?? String(error),
    );
  const startedAt = clock.now();
  const outcomes = [await call(client), await call(client), await call(world.another({ store, userAgent }))];
  return { wasSet, outcomes, world, asked: userAgent.shown.length, tookMs: clock.now() - startedAt - (wasSet ? byMs : 0) };
}

describe.each(FLOWS)('$name', (flow) => {
  it.each(DIRECTIONS)(
    'in which the clock is set %s by hours at any point hangs nowhere, loses nothing, and ends well when it is tried again (RES-05, AUT-07)',
    async (_, byMs) => {
      for (let at = 0; ; at += 1) {
        const { wasSet, outcomes, world, asked, tookMs } = await withClockSet(flow, byMs, at);
        if (!wasSet) {
          expect(at).toBeGreaterThan(10);
          return;
        }
        const where = `dealing ${at}`;
        const [first = '', ...again] = outcomes;
        // The servers go by the same clock: the lease, or a token issued a moment ago, is over by now.
        expect([200, 'authorization_expired', 'callback_not_expected', 'access_token_rejected', 'flow_taken_over'], where).toContain(first);
        expect(again, where).toEqual([200, 200]);
        expect(asked, where).toBeLessThanOrEqual(2);
        expect(tookMs, where).toBeLessThanOrEqual(USER_DEADLINE_MS + 60_000);
        expect(world.servers.violations, where).toEqual([]);
      }
    },
  );
});

describe('a user who is away', () => {
  it('comes back in time although the clock was set back (AUT-07, RES-05)', async () => {
    const world = scene({ act: () => undefined });
    const pending = world.client.fetch(world.servers.resource.url, CALL);
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    world.clock.setBy(-HOURS_MS);
    await world.client.completeAuthorization(await world.servers.approve(authorizationUrl));
    expect((await pending).status).toBe(200);
  });

  it('is too late where the clock was set ahead, is told so, and can begin anew (AUT-07, RES-05)', async () => {
    const world = scene({ act: () => undefined });
    const pending = failureOfCall(world.client.fetch(world.servers.resource.url, CALL));
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    world.clock.setBy(HOURS_MS);
    const callbackUrl = await world.servers.approve(authorizationUrl);
    expect((await failureOfCall(world.client.completeAuthorization(callbackUrl))).code).toBe('callback_not_expected');
    await world.clock.advance(USER_DEADLINE_MS);
    expect((await pending).code).toBe('authorization_expired');
    const again = world.client.fetch(world.servers.resource.url, CALL);
    await world.client.completeAuthorization(
      await world.servers.approve((await untilStep(world.client, 'awaiting-user')).authorizationUrl),
    );
    expect((await again).status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });
});
