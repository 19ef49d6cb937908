/** Kills a real process at the requests that must not be repeated, and around its user, on the stores of databases. */
import { describe, expect, it } from 'vitest';
import {
  atRequest,
  beforeDealing,
  type Cost,
  KILL_TEST,
  type KillableFlow,
  type Killing,
  lastsBeyondExpiry,
  sum,
  survives,
  whenOpened,
} from '../helpers/kill-point.ts';
import { killScene } from '../helpers/kill-scene.ts';
import { LOGIN, REFRESH } from '../helpers/killable-flows.ts';
import { PROCESSES, together } from '../helpers/many-processes.ts';
import { inPostgres, inRedis, inSqlite, type MakePlace } from '../helpers/store-places.ts';

const askedAgain: Cost = { approvals: 1, codesSent: 1 };

const POINTS: readonly (readonly [flow: KillableFlow, when: string, kill: Killing, cost?: Cost])[] = [
  [LOGIN, 'the registration was answered', atRequest({ purpose: 'registration', nth: 1, moment: 'answered' }), { registrations: 1 }],
  [LOGIN, 'the page was opened', whenOpened()],
  [LOGIN, 'the callback was stored', beforeDealing('take vault/attempt/')],
  [LOGIN, 'the code had arrived', atRequest({ purpose: 'token', nth: 1, moment: 'arrived' }), askedAgain],
  [LOGIN, 'the code was answered', atRequest({ purpose: 'token', nth: 1, moment: 'answered' }), askedAgain],
  [REFRESH, 'the refresh token had arrived', atRequest({ purpose: 'token', nth: 1, moment: 'arrived' }), { refreshes: 1 }],
  [
    REFRESH,
    'the refresh token was answered',
    atRequest({ purpose: 'token', nth: 1, moment: 'answered' }),
    { ...askedAgain, refreshes: 1, refreshTokensSentTwice: 1 },
  ],
];

const STORES: readonly (readonly [name: string, make: MakePlace])[] = [
  ['SQLite', inSqlite],
  ['Redis', inRedis()],
  ['PostgreSQL', inPostgres()],
];

describe.concurrent.each(STORES)('a process on %s', KILL_TEST, (_, inStore) => {
  for (const [flow, when, kill, cost = {}] of POINTS) {
    it(`killed in ${flow.name} when ${when}, ends as it should have (RES-02, RES-03, RES-08, STO-02)`, async (context) => {
      await using own = await inStore(context);
      await using scene = await killScene(own);
      await survives(context, { flow, kill, cost, scene, own });
    });
  }
});

describe.each(STORES)('eight processes on %s', KILL_TEST, (_, inStore) => {
  const answers = Array.from({ length: PROCESSES }, () => 200);

  it('without tokens share one approval and one registration (REG-08, AUT-08, STO-02)', async (context) => {
    await using own = await inStore(context);
    await using scene = await killScene(own, { redirectUri: 'http://127.0.0.1/callback' });
    const { outcomes, spent } = await together(context, scene, { situation: 'without tokens', store: own.place.kind });
    expect(outcomes).toEqual(answers);
    expect(scene.person.opened).toHaveLength(1);
    expect(spent).toEqual(sum({ approvals: 1, registrations: 1, codesSent: 1 }));
    await lastsBeyondExpiry(scene);
  });

  it('with an expired token refresh once, and ask nobody (RFR-05, STO-02)', async (context) => {
    await using own = await inStore(context);
    await using scene = await killScene(own);
    await scene.signIn();
    scene.passAnHour();
    const { outcomes, spent } = await together(context, scene, { situation: 'with an expired token', store: own.place.kind });
    expect(outcomes).toEqual(answers);
    expect(spent).toEqual(sum({ refreshes: 1 }));
    await lastsBeyondExpiry(scene);
  });
});
