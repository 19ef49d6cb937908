/** Whole flows on a store and a vault of which one operation fails, each operation in turn, before it is carried out or after. */
import { describe, expect, it } from 'vitest';
import type { AuthorizationClient } from '../../src/client.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { type FailureMode, failingStores } from '../helpers/failing-store.ts';
import { patientUser } from '../helpers/patient-user.ts';
import { CALL, type Scene, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { type SimulatedClock, simulatedClock } from '../helpers/simulated-clock.ts';
import { whileTimePasses } from '../helpers/waiting.ts';
import { watchedStore } from '../helpers/watched-store.ts';

const A_YEAR_MS = 365 * 24 * 3_600_000;

type Outcome = number | string;

interface Flow {
  readonly name: string;
  readonly options?: SceneOptions;
  /** With a store that is well. */
  readonly before?: (world: Scene) => Promise<unknown>;
  /** While one operation fails. */
  readonly act: (client: AuthorizationClient, world: Scene) => Promise<unknown>;
  /** What it comes to where nothing fails. */
  readonly ends: Outcome;
  /** Times the user may have been asked, at most. */
  readonly asked: number;
  readonly registrations: number;
}

const call = (client: AuthorizationClient, { servers }: Scene, path = ''): Promise<Response> =>
  client.fetch(`${servers.resource.url}${path}`, CALL);
const registered = { registration: { authMethod: 'client_secret_basic' } } as const;

const FLOWS: readonly Flow[] = [
  {
    name: 'a login',
    options: { authorizationServer: registered },
    act: (client, world) => call(client, world),
    ends: 200,
    asked: 2,
    registrations: 2,
  },
  {
    name: 'a refresh',
    options: { authorizationServer: registered },
    before: async (world) => {
      await call(world.client, world);
      await world.clock.advance(UNTIL_EXPIRED_MS);
    },
    act: (client, world) => call(client, world),
    ends: 200,
    asked: 1,
    registrations: 1,
  },
  {
    name: 'a step-up',
    options: { authorizationServer: registered, resource: { scopesFor: ({ url }) => url.pathname.split('/').slice(2) } },
    before: (world) => call(world.client, world, '/read'),
    act: (client, world) => call(client, world, '/write'),
    ends: 200,
    asked: 3,
    // The scope is a new one: the client registers anew for it.
    registrations: 3,
  },
  {
    name: 'a sign-out',
    options: { authorizationServer: registered },
    before: (world) => call(world.client, world),
    act: (client) => client.signOut({ forgetRegistration: true }),
    ends: 'unauthorized',
    asked: 1,
    registrations: 1,
  },
];

interface Failed {
  readonly hasFailed: boolean;
  /** By the client, by the same once more, and by another process whose store is well. */
  readonly outcomes: readonly Outcome[];
  readonly world: Scene;
  /** How many times the user was. */
  readonly asked: number;
  /** What is left in the vault after everything was forgotten, and what expires has expired. */
  leftInVault(): Promise<readonly string[]>;
}

async function failing({ options = {}, before, act }: Flow, mode: FailureMode, failAt: number): Promise<Failed> {
  const clock = simulatedClock();
  const [store, vault] = [watchedStore(memoryStore({ clock })), watchedStore(memoryStore({ clock }))];
  const sound = { store: store.store, vault: vault.store };
  const world = scene({ ...options, clock, client: sound });
  if (before !== undefined) await whileTimePasses(clock, before(world));
  const { failed, carryOut, ...breaking } = failingStores(sound, failAt, mode);
  const userAgent = patientUser(world.servers);
  const [client, another] = [
    world.another({ ...breaking, userAgent, limits: { storeOperationMs: 4 } }),
    world.another({ ...sound, userAgent }),
  ];
  const outcomes = [await outcome(clock, act(client, world)), await outcome(clock, act(client, world))];
  await carryOut();
  await client.close();
  outcomes.push(await outcome(clock, act(another, world)));
  return {
    hasFailed: failed(),
    outcomes,
    world,
    asked: world.user.shown.length + userAgent.shown.length,
    async leftInVault() {
      await another.signOut({ forgetRegistration: true });
      await another.close();
      clock.jumpTo(clock.now() + A_YEAR_MS);
      return Object.keys(await vault.contents());
    },
  };
}

function outcome(clock: SimulatedClock, work: Promise<unknown>): Promise<Outcome> {
  return whileTimePasses(clock, work).then(
    (value) => (value instanceof Response ? value.status : (value as { step: string }).step),
    (error: { code?: string }) => error.code ?? String(error),
  );
}

describe.each(FLOWS)('$name', (flow) => {
  it.each<readonly [FailureMode, string]>([
    ['before', 'and is not carried out'],
    ['after', 'and is carried out'],
    ['hangs', 'because it is never answered'],
    ['late', 'because it is answered too late, and is carried out after what came next'],
  ])(
    'of whose store operations any one fails (%s: %s) costs at most that call, and nothing that was obtained (RES-02, RFR-07, AUT-05)',
    async (mode) => {
      let failAt = 1;
      for (; ; failAt += 1) {
        const { hasFailed, outcomes, world, asked, leftInVault } = await failing(flow, mode, failAt);
        const where = `operation ${failAt}`;
        const { servers } = world;
        const ended = outcomes.filter((one) => one !== 'store_failed');
        expect(ended, where).toEqual(ended.map(() => flow.ends));
        expect(ended.length, where).toBeGreaterThanOrEqual(2);
        expect(outcomes.at(-1), where).toBe(flow.ends);
        expect(servers.violations, where).toEqual([]);
        expect(asked, where).toBeLessThanOrEqual(flow.asked);
        expect(servers.requestsFor('registration').length, where).toBeLessThanOrEqual(flow.registrations);
        // A write that comes after everything else leaves an entry of which nobody can know.
        expect((await leftInVault()).length, where).toBeLessThanOrEqual(mode === 'late' ? 1 : 0);
        if (!hasFailed) break;
      }
      expect(failAt).toBeGreaterThan(5);
    },
  );
});
