/** Every record a flow keeps, damaged in every way JSON allows, met by another process through the public client. */
import { describe, expect, it } from 'vitest';
import type { AuthorizationClient } from '../../src/client.ts';
import { createAttemptRecords } from '../../src/records/attempt-records.ts';
import type { JsonObject, JsonValue, Store } from '../../src/stores/contract.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
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
];

/** Also the user's time runs out where nothing else happens. */
const USER_DEADLINE_MS = 600_000;

const WRONG: readonly JsonValue[] = [null, 7, { issuer: 7 }];

/** Every place in the value, as a path; of a list, the first. */
function placesIn(value: JsonValue, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const members = Object.entries(value).filter(([name]) => !Array.isArray(value) || name === '0');
  return [path, ...members.flatMap(([name, member]) => placesIn(member as JsonValue, [...path, name]))];
}

/** The value with something else at the path; `undefined` leaves it out. */
function changed(value: unknown, [name, ...rest]: readonly string[], to: JsonValue | undefined): unknown {
  if (name === undefined) return to;
  const copy: Record<string, unknown> = Array.isArray(value) ? ([...value] as never) : { ...(value as object) };
  copy[name] = changed(copy[name], rest, to);
  return copy;
}

const LEVELS = 4_000;
const deep = `${'{"a":'.repeat(LEVELS)}1${'}'.repeat(LEVELS)}`;
const LEAF = 'a leaf';

/** The record as JSON, damaged as a whole and at every place in it. */
function damages(value: JsonObject): readonly (readonly [what: string, text: string])[] {
  const whole = JSON.stringify(value);
  const version = 'format' in value ? 'format' : 'version';
  const withMember = (name: string, text: string): string => `${whole.slice(0, -1)},${JSON.stringify(name)}:${text}}`;
  const places = placesIn(value).filter((path) => path.length > 0);
  return [
    ['is empty', '{}'],
    ['is foreign', '{"name":"left-pad","version":"1.0.0"}'],
    ['is newer', withMember(version, '2')],
    ['is newer than numbers go', withMember(version, '9007199254740993')],
    ['is older than the oldest', withMember(version, '0')],
    ['has its version in words', withMember(version, '"1"')],
    ['brings a prototype', withMember('__proto__', '{"format":1,"version":1,"issuer":"https://evil.example.com"}')],
    ['brings a constructor', withMember('constructor', '{"prototype":{"issuer":"https://evil.example.com"}}')],
    ['is huge', withMember('more', JSON.stringify('x'.repeat(1_000_000)))],
    ['is deep', withMember('more', deep)],
    ...places.map(
      (path) => [`is deep at ${path.join('.')}`, JSON.stringify(changed(value, path, LEAF)).replace(`"${LEAF}"`, deep)] as const,
    ),
    ...places.flatMap((path) =>
      [undefined, ...WRONG]
        .map(
          (wrong) =>
            [`has ${JSON.stringify(wrong) ?? 'nothing'} at ${path.join('.')}`, JSON.stringify(changed(value, path, wrong))] as const,
        )
        .filter(([, text]) => text !== whole),
    ),
  ];
}

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

  it.each(kinds.filter((kind) => !CACHES.includes(kind)))(
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
