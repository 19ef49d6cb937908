/** Kills a real process while its user is away, on the way back, or just back. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  beforeDealing,
  type Cost,
  KILL_TEST,
  type KillableFlow,
  lastsBeyondExpiry,
  survives,
  untilDead,
  whenOpened,
} from '../helpers/kill-point.ts';
import { type KillScene, killScene } from '../helpers/kill-scene.ts';
import { LOGIN } from '../helpers/killable-flows.ts';
import type { Program } from '../helpers/killable-program.ts';
import { inFiles } from '../helpers/store-places.ts';

const ANY_PORT = 'http://127.0.0.1/callback';
const askedAgain: Cost = { approvals: 1, codesSent: 1 };

describe.concurrent('a login whose user is at the page', KILL_TEST, () => {
  it('killed right after the page was opened, waits for it at the same port, until the same deadline (RES-02, RES-05, RES-07, AUT-07)', async (context) => {
    await using own = await inFiles(context);
    await using scene = await killScene(own, { redirectUri: ANY_PORT });
    const kill = async ({ start, person }: KillScene): Promise<void> => {
      // The page is open, and the status says that its user is waited for: whichever is told last.
      let told = 0;
      const tell = (program: Program): void => {
        told += 1;
        if (told === 2) void program.kill();
      };
      const onOpening = (url: string, program: Program): void => {
        person.see(url);
        tell(program);
      };
      await untilDead(await start({ onOpening, onAwaitingUser: (_, program) => tell(program) }), LOGIN.task);
    };
    await survives(context, { flow: LOGIN, kill, scene, own });
    expect(new Set(scene.person.opened).size).toBe(1);
    expect(scene.person.shown).toEqual([scene.person.shown[0], scene.person.shown[0]]);
  });

  it('killed while it opens the page, opens it: the user may not have seen one (RES-02, RES-03)', async (context) => {
    await using own = await inFiles(context);
    await using scene = await killScene(own, { redirectUri: ANY_PORT });
    const kill = async ({ start }: KillScene): Promise<void> =>
      untilDead(await start({ onOpening: (_, program) => void program.kill() }), LOGIN.task);
    await survives(context, { flow: LOGIN, kill, scene, own });
    expect(scene.person.opened).toHaveLength(1);
    expect(new Set(scene.person.shown.map(({ authorizationUrl }) => authorizationUrl)).size).toBe(1);
  });

  it('killed before the browser comes back, is there when it is reloaded: same port, one approval (RES-02, RES-07)', async (context) => {
    await using own = await inFiles(context);
    await using scene = await killScene(own, { redirectUri: ANY_PORT });
    const kill = async (on: KillScene): Promise<void> => {
      await whenOpened()(on, LOGIN.task);
      expect(await on.person.comeBack(await on.person.approve(on.person.opened[0] ?? ''))).toBe('no answer');
    };
    await survives(context, { flow: LOGIN, kill, scene, own });
    expect(new Set(scene.person.opened).size).toBe(1);
  });

  it('killed while the callback arrives, takes it when the browser is reloaded (RES-02, RES-07)', async (context) => {
    await using own = await inFiles(context);
    await using scene = await killScene(own, { redirectUri: ANY_PORT });
    const kill = whenOpened(async (url, { person }) => sendHalf(await person.approve(url)));
    await survives(context, { flow: LOGIN, kill, scene, own });
    expect(new Set(scene.person.opened).size).toBe(1);
  });

  it('killed after the callback was answered, goes on without the user (RES-02, RES-08)', async (context) => {
    await using own = await inFiles(context);
    await using scene = await killScene(own);
    const kill = async (on: KillScene): Promise<void> => {
      let page: Promise<number | 'no answer'> | undefined;
      const victim = await on.start({
        asks: true,
        onOpening: (url) => {
          on.person.see(url);
          page = on.person.approve(url).then(on.person.comeBack);
        },
        onDealing(dealing, program, goOn) {
          if (!dealing.startsWith('take vault/attempt/')) goOn();
          else void page?.then(() => program.kill());
        },
      });
      await untilDead(victim, LOGIN.task);
      expect(await page).toBe(200);
    };
    await survives(context, { flow: LOGIN, kill, scene, own });
    expect(scene.person.opened).toHaveLength(1);
  });
});

/** From the callback to the tokens, one change of the store or request after the other. */
const POINTS: readonly (readonly [dealing: string, nth: number, words: string, cost?: Cost])[] = [
  ['write vault/callback/', 1, 'before the callback is stored'],
  ['write state/', 2, 'before the callback counts as used'],
  ['take vault/attempt/', 1, 'before the code is marked as sent'],
  ['write vault/callback/', 2, 'after the code was marked as sent', { approvals: 1 }],
  ['POST /token', 1, 'before the code is sent', { approvals: 1 }],
  ['answer /token', 1, 'when the tokens have come', askedAgain],
  ['write binding/', 1, 'before the account is bound', askedAgain],
  ['write vault/tokens/', 1, 'before the tokens are stored', askedAgain],
  ['write credential/', 1, 'before the credential is stored', askedAgain],
  ['read disowned-attempt/', 2, 'after the credential was stored'],
  ['POST /mcp', 2, 'before the request is sent again'],
];

describe.concurrent('a login whose user is back', KILL_TEST, () => {
  for (const [name, nth, words, cost = {}] of POINTS) {
    const end = cost.approvals === 1 ? 'asks once more' : 'goes on';
    it(`killed ${words}, ${end} (RES-02, RES-03, RES-08, AUT-09)`, async (context) => {
      await using own = await inFiles(context);
      await using scene = await killScene(own);
      await survives(context, { flow: LOGIN, kill: beforeDealing(name, nth), cost, scene, own });
    });
  }
});

/** Of a process that is handed the callback: where it dies, and what the next one says to the same callback. */
const HANDED: readonly (readonly [dealing: string, words: string, outcome: string, cost: Cost])[] = [
  ['write vault/callback/', 'before the callback is stored', 'authorized', {}],
  ['write state/', 'before the callback counts as used', 'authorized', {}],
  ['take vault/attempt/', 'before the code is marked as sent', 'authorized', {}],
  ['POST /token', 'before the code is sent', 'callback_not_expected', { approvals: 1 }],
  ['answer /token', 'when the tokens have come', 'callback_not_expected', askedAgain],
];

describe.concurrent('a callback that is handed to another process than the one that showed the page', KILL_TEST, () => {
  it('completes the login there, although the other was killed (RES-06, RES-02, AUT-08)', async (context) => {
    await using own = await inFiles(context);
    await using scene = await killScene(own, { userAgent: 'none' });
    const callbackUrl = await approvedAlone(scene);
    const program = await scene.start();
    expect(await program.do({ do: 'complete', callbackUrl })).toBe('authorized');
    expect(await program.do({ do: 'call', path: '' })).toBe(200);
    expect(scene.count()).toMatchObject({ approvals: 1, registrations: 1, codesSent: 1, codesSentTwice: 0, violations: [] });
  });

  for (const [name, words, outcome, cost] of HANDED) {
    it(`killed ${words}: the next one says ${outcome} (RES-06, RES-02, RES-08, AUT-09)`, async (context) => {
      await using own = await inFiles(context);
      await using scene = await killScene(own, { userAgent: 'none' });
      const callbackUrl = await approvedAlone(scene);
      const flow: KillableFlow = {
        name: 'a callback in another process',
        task: { do: 'complete', callbackUrl },
        prepare: () => {},
        cost: { codesSent: 1 },
        outcome,
        // Whoever is told that the callback is spent can begin again at once.
        afterwards: async ({ call }) => expect(await call('')).toBe(200),
      };
      await survives(context, { flow, kill: beforeDealing(name), cost, scene, own });
      await lastsBeyondExpiry(scene);
    });
  }
});

/** A process that only shows the URL is killed; its user approves all the same. */
async function approvedAlone(scene: KillScene): Promise<string> {
  const victim = await scene.start({ onAwaitingUser: (_, program) => void program.kill() });
  await untilDead(victim, LOGIN.task);
  return scene.person.approve(scene.person.shown[0]?.authorizationUrl ?? '');
}

/** A browser whose request has begun to arrive. */
async function sendHalf(callbackUrl: string): Promise<void> {
  const { hostname, port, pathname, search } = new URL(callbackUrl);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}`, () => resolve());
  });
}
