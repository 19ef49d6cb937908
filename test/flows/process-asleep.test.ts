/** A process is stopped in the middle of its work, sleeps longer than its leases last, and goes on as if nothing had happened. */
import { describe, expect, it } from 'vitest';
import type { AuthorizationClient } from '../../src/client.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { patientUser } from '../helpers/patient-user.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { type SimulatedClock, simulatedClock } from '../helpers/simulated-clock.ts';
import { sleepyProcess } from '../helpers/sleepy-process.ts';
import { whileTimePasses } from '../helpers/waiting.ts';

const USER_DEADLINE_MS = 600_000;
type Outcome = number | string;

interface Flow {
  readonly name: string;
  readonly before?: (world: Scene) => Promise<unknown>;
  readonly path?: string;
  /** Times the user is asked at most, by all of them together. */
  readonly asked: number;
  /** What the sleeper's own request ends in where it has no answer, in order of the points it is stopped at. */
  readonly failures: readonly string[];
}

/** While it prepared its attempt, showed the page, and checked and sent a callback that another has taken: in this order. */
const OVERTAKEN = [
  ...Array.from({ length: 5 }, () => 'before write flow: flow_taken_over'),
  'before read vault/callback: flow_taken_over',
  'before write flow: flow_taken_over',
  'before read state: flow_taken_over',
  'before read vault/callback: flow_taken_over',
  'before write flow: flow_taken_over',
  'before write flow: flow_taken_over',
  'before read vault/callback: callback_not_expected',
  'before read vault/attempt: callback_not_expected',
  'before write flow: flow_taken_over',
  'before read registration: flow_taken_over',
  'before read vault/callback: flow_taken_over',
  'before take vault/attempt: flow_taken_over',
];

const FLOWS: readonly Flow[] = [
  { name: 'a login', asked: 2, failures: OVERTAKEN },
  {
    name: 'a refresh',
    async before(world) {
      await world.client.fetch(world.servers.resource.url, CALL);
      await world.clock.advance(UNTIL_EXPIRED_MS);
    },
    asked: 0,
    failures: [],
  },
  {
    name: 'a step-up',
    before: (world) => world.client.fetch(`${world.servers.resource.url}/read`, CALL),
    path: '/write',
    asked: 2,
    failures: OVERTAKEN,
  },
];

/** The dealing without what differs from run to run: its kind, and the kind of its record. */
const kindOf = (dealing = ''): string => /^\S+ (?:vault\/)?[^/]+/.exec(dealing)?.[0] ?? '';

const outcomeOf = (clock: SimulatedClock, work: Promise<Response>): Promise<Outcome> =>
  whileTimePasses(clock, work, 1_000, USER_DEADLINE_MS).then(
    ({ status }) => status,
    (error: { code?: string }) => error.code ?? String(error),
  );

async function asleep({ before, path = '' }: Flow, at: number) {
  const clock = simulatedClock();
  const store = memoryStore({ clock });
  const world = scene({ clock, store, resource: { scopesFor: ({ url }) => url.pathname.split('/').slice(2) } });
  if (before !== undefined) await whileTimePasses(clock, before(world));
  const userAgent = patientUser(world.servers);
  const sleepy = sleepyProcess({ store, fetch: world.servers.fetch, clock }, at);
  const call = (client: AuthorizationClient): Promise<Response> => client.fetch(`${world.servers.resource.url}${path}`, CALL);
  const first = call(world.another({ store: sleepy.store, fetch: sleepy.fetch, clock: sleepy.clock, userAgent }));
  first.catch(() => {});
  const isOver = await Promise.race([first.then(() => true), whileTimePasses(clock, sleepy.stopped).then(() => false)]);
  if (isOver) return undefined;
  const { stoppedBefore } = sleepy;
  const refreshes = (): number =>
    world.servers.requestsFor('token').filter(({ form }) => form.get('grant_type') === 'refresh_token').length;
  const isOnItsWay = stoppedBefore === 'POST /token' || refreshes() > 0;
  const second = world.another({ store, userAgent });
  const outcomes = [await outcomeOf(clock, call(second))];
  sleepy.goOn();
  outcomes.push(await outcomeOf(clock, first));
  for (const one of [second, world.another({ store, userAgent })]) outcomes.push(await outcomeOf(clock, call(one)));
  const isRefreshSent = isOnItsWay && refreshes() > 1;
  return { outcomes, world, asked: userAgent.shown.length, isRefreshSent, where: `before ${kindOf(stoppedBefore)}` };
}

describe.each(FLOWS)('$name', (flow) => {
  it('whose process sleeps at any point is finished by another, and what the sleeper does late harms nobody (RES-08, RFR-05, RFR-04)', async () => {
    let at = 0;
    const failures: string[] = [];
    for (; ; at += 1) {
      const found = await asleep(flow, at);
      if (found === undefined) break;
      const { outcomes, world, asked, where, isRefreshSent } = found;
      const [second, first = '', ...later] = outcomes;
      expect(second, where).toBe(200);
      if (first !== 200) failures.push(`${where}: ${first}`);
      expect(later, where).toEqual([200, 200]);
      // Who finds that a refresh was begun and not stored can only try the same token, and that may end the login.
      expect(asked, where).toBeLessThanOrEqual(flow.asked + (isRefreshSent ? 1 : 0));
      expect(world.servers.violations.length, where).toBeLessThanOrEqual(isRefreshSent ? 1 : 0);
    }
    expect(at).toBeGreaterThan(15);
    expect(failures).toEqual(flow.failures);
  });
});
