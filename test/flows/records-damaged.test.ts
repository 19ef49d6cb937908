/** Every record a flow keeps, damaged in every way JSON allows, met by another process through the public client. */
import { describe, expect, it } from 'vitest';
import type { AuthorizationClient } from '../../src/client.ts';
import { createAttemptRecords } from '../../src/records/attempt-records.ts';
import type { JsonObject, Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { damages } from '../helpers/damaged-records.ts';
import { patientUser } from '../helpers/patient-user.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { tamperedStore } from '../helpers/tampered-store.ts';
import { settled, untilStep, whileTimePasses } from '../helpers/waiting.ts';
import { watchedStore } from '../helpers/watched-store.ts';

type Place = 'store' | 'vault';

interface Stage {
  readonly world: Scene;
  readonly records: Readonly<Record<Place, Record<string, JsonObject>>>;
  readonly stores: Readonly<Record<Place, Store>>;
  /** What another process does that has these stores, as often as it is asked to: how it ends. */
  act(stores: Readonly<Record<Place, Store>>, times: number): Promise<readonly Outcome[]>;
}

type Outcome = number | string;
type Act = (client: AuthorizationClient, world: Scene) => Promise<Response | { readonly step: string }>;

const request: Act = (client, { servers }) => client.fetch(servers.resource.url, CALL);

async function stage(before: (world: Scene, stores: Stage['stores']) => Promise<Act>): Promise<Stage> {
  const clock = simulatedClock();
  const [store, vault] = [watchedStore(memoryStore({ clock })), watchedStore(memoryStore({ clock }))];
  const world = scene({
    clock,
    act: () => undefined,
    authorizationServer: { registration: { authMethod: 'client_secret_basic' } },
    client: { store: store.store, vault: vault.store },
  });
  const stores = { store: store.store, vault: vault.store };
  const act = await before(world, stores);
  await world.client.close();
  return {
    world,
    records: { store: await store.contents(), vault: await vault.contents() },
    stores,
    async act(given, times) {
      const another = world.another({ ...given, userAgent: patientUser(world.servers) });
      const outcomes: Outcome[] = [];
      while (outcomes.length < times)
        outcomes.push(await whileTimePasses(clock, act(another, world), 1_000, USER_DEADLINE_MS).then(ended, coded));
      return outcomes;
    },
  };
}

async function signIn({ client, servers }: Scene): Promise<void> {
  const pending = client.fetch(servers.resource.url, CALL);
  const { authorizationUrl } = await untilStep(client, 'awaiting-user');
  await client.completeAuthorization(await servers.approve(authorizationUrl));
  await pending;
}

async function leave({ client, servers }: Scene): Promise<string> {
  client.fetch(servers.resource.url, CALL).catch(() => {});
  const { authorizationUrl } = await untilStep(client, 'awaiting-user');
  await settled();
  return servers.approve(authorizationUrl);
}

const ended = (done: Response | { readonly step: string }): Outcome => (done instanceof Response ? done.status : done.step);
const coded = (error: { readonly code?: string }): Outcome => error.code ?? String(error);

/** The callback was accepted, and the process died before it sent the code. */
async function comeBack(world: Scene, stores: Stage['stores']): Promise<void> {
  const callbackUrl = await leave(world);
  const records = createAttemptRecords({ ...stores, clock: world.clock });
  await records.acceptCallback(new URL(callbackUrl).searchParams.get('state') ?? '', callbackUrl);
}

/** One is signed in; the client was registered once more since, for scopes that another account wants. */
async function replaceClient(world: Scene, client: AuthorizationClient): Promise<void> {
  const pending = client.authorize({ scopes: ['mail'] });
  const { authorizationUrl } = await untilStep(client, 'awaiting-user');
  await client.completeAuthorization(await world.servers.approve(authorizationUrl));
  await pending;
  await client.close();
  const bob = world.another({ account: 'bob' });
  bob.authorize({ scopes: ['files'] }).catch(() => {});
  await untilStep(bob, 'awaiting-user');
  await settled();
  await bob.close();
}

const FORMER = ['former-registrations', 'vault/former-client-secrets'];

const STAGES: readonly (readonly [name: string, prepare: () => Promise<Stage>, kinds: readonly string[]])[] = [
  [
    'a login whose token has expired',
    () =>
      stage(async (world) => {
        await signIn(world);
        await world.clock.advance(UNTIL_EXPIRED_MS);
        return request;
      }),
    [
      'flow',
      'registration',
      'credential',
      'binding',
      'server-metadata-1',
      'vault/tokens',
      'vault/client-secret',
      'vault/server-metadata-seal',
    ],
  ],
  [
    'a login whose user is away and comes back',
    () =>
      stage(async (world) => {
        const callbackUrl = await leave(world);
        return (client) => client.completeAuthorization(callbackUrl);
      }),
    [
      'flow',
      'state',
      'registration',
      'server-metadata-1',
      'metadata',
      'vault/attempt',
      'vault/client-secret',
      'vault/server-metadata-seal',
    ],
  ],
  [
    'a login whose user has been back',
    () =>
      stage(async (world, stores) => {
        await comeBack(world, stores);
        return request;
      }),
    ['vault/callback'],
  ],
  [
    'a login whose client was replaced by a wider one, and whose token has expired',
    () =>
      stage(async (world) => {
        await replaceClient(world, world.client);
        await world.clock.advance(UNTIL_EXPIRED_MS);
        return request;
      }),
    FORMER,
  ],
  [
    'a login whose client was replaced by a wider one, and is replaced once more',
    () =>
      stage(async (world) => {
        await replaceClient(world, world.another({ account: 'ann' }));
        return (client) => client.authorize({ scopes: ['calendar'] });
      }),
    FORMER,
  ],
  [
    'a login that was refreshed before, and whose token has expired',
    () =>
      stage(async (world) => {
        await signIn(world);
        await world.clock.advance(UNTIL_EXPIRED_MS);
        await world.client.accessToken();
        world.servers.authorizationServer.expireAccessTokens();
        return request;
      }),
    ['rotation', 'vault/rotation'],
  ],
  [
    'a login that was signed out elsewhere while its user was away',
    () =>
      stage(async (world) => {
        await leave(world);
        const other = world.another();
        await other.signOut();
        await other.close();
        return request;
      }),
    ['disowned-attempt'],
  ],
];

/** Also the user's time runs out where nothing else happens. */
const USER_DEADLINE_MS = 600_000;

const GOES_ON: readonly Outcome[] = [200, 'authorized'];
/** What a record that says something else, in a form it may have, can lead to as well. */
const CODES: readonly Outcome[] = [
  'record_unreadable',
  'credentials_missing',
  'issuer_changed',
  'callback_not_expected',
  'authorization_expired',
];
/** A cache, whose format stands in its key: what cannot be read of it is not there. */
const CACHES = ['server-metadata-1', 'vault/server-metadata-seal'];
/** Notes of which nobody reads more than that they are there. */
const NOTES = ['rotation', 'vault/rotation', 'disowned-attempt'];
/** No damage may lead to a breach of these. */
const RULES = ['code sent twice', 'code sent to the wrong issuer', 'token sent elsewhere', 'refresh token sent twice'];

const placeOf = (kind: string): Place => (kind.startsWith('vault/') ? 'vault' : 'store');
const keyOf = (kind: string, records: Readonly<Record<string, JsonObject>>): string =>
  Object.keys(records).find((key) => key.startsWith(`${kind}/`)) ?? '';

describe.each(STAGES)('%s', (_, prepare, kinds) => {
  it.each(kinds)(
    'meets any damage of its record %s with a code, and leaves it as it is, or goes on safely (STO-05, RES-04)',
    async (kind) => {
      const place = placeOf(kind);
      const first = await prepare();
      const whats = damages(first.records[place][keyOf(kind, first.records[place])] as JsonObject).map(([what]) => what);
      for (const [index, what] of whats.entries()) {
        const { records, stores, act, world } = await prepare();
        const key = keyOf(kind, records[place]);
        const [, text = ''] = damages(records[place][key] as JsonObject)[index] ?? [];
        const tampered = tamperedStore(stores[place], key, text);
        const [outcome = ''] = await act({ ...stores, [place]: tampered.store }, 1);
        expect([...GOES_ON, ...CODES], what).toContain(outcome);
        // Its time was over all the same: an attempt that has expired is cleared away.
        if (![...GOES_ON, 'authorization_expired'].includes(outcome)) expect(tampered.isUntouched(), what).toBe(true);
        expect(
          world.servers.violations.filter(({ rule }) => RULES.includes(rule)),
          what,
        ).toEqual([]);
      }
    },
  );

  it.each(kinds.filter((kind) => !CACHES.includes(kind) && !NOTES.includes(kind)))(
    'reports a newer %s however often it is asked, and never replaces it (STO-05)',
    async (kind) => {
      const place = placeOf(kind);
      const { records, stores, act } = await prepare();
      const key = keyOf(kind, records[place]);
      const [, text = ''] = damages(records[place][key] as JsonObject).find(([what]) => what === 'is newer') ?? [];
      const tampered = tamperedStore(stores[place], key, text);
      const outcomes = await act({ ...stores, [place]: tampered.store }, 3);
      expect(outcomes[0]).toBe('record_unreadable');
      expect(outcomes.filter((outcome) => GOES_ON.includes(outcome))).toEqual([]);
      expect(tampered.isUntouched()).toBe(true);
    },
  );

  it('keeps no record that is not among these', async () => {
    const { records } = await prepare();
    const kept = [...Object.keys(records.store), ...Object.keys(records.vault)];
    const others = kept.filter((key) => !STAGES.some(([, , all]) => all.some((kind) => key.startsWith(`${kind}/`))));
    expect(others).toEqual([]);
  });
});
