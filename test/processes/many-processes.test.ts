/** Eight real processes at once on one store. */
import { describe, expect, it } from 'vitest';
import { PROCESS_HEADER } from '../fixtures/killable/contract.ts';
import { KILL_TEST, lastsBeyondExpiry, sum } from '../helpers/kill-point.ts';
import { type KillScene, killScene } from '../helpers/kill-scene.ts';
import type { Program } from '../helpers/killable-program.ts';
import { PROCESSES, together } from '../helpers/many-processes.ts';
import { inFiles } from '../helpers/store-places.ts';

const ANY_PORT = 'http://127.0.0.1/callback';
const answers = (count: number): readonly number[] => Array.from({ length: count }, () => 200);

describe('eight processes without tokens', KILL_TEST, () => {
  it('share one page, one approval and one registration (RES-02, REG-08, AUT-08)', async (context) => {
    await using own = await inFiles(context);
    await using scene = await killScene(own, { redirectUri: ANY_PORT });
    const { outcomes, spent } = await together(context, scene, { situation: 'without tokens', store: own.place.kind });
    expect(outcomes).toEqual(answers(PROCESSES));
    expect(scene.person.opened).toHaveLength(1);
    expect(spent).toEqual(sum({ approvals: 1, registrations: 1, codesSent: 1 }));
    expect(await own.openToOthers()).toEqual([]);
    await lastsBeyondExpiry(scene);
  });

  it('of which the one that showed the page is killed, are served by one approval all the same (RES-02, RES-07, RES-08, AUT-08)', async (context) => {
    await using own = await inFiles(context);
    await using scene = await killScene(own, { redirectUri: ANY_PORT });
    const { person } = scene;
    let killed: Program | undefined;
    const { outcomes, spent } = await together(context, scene, {
      situation: 'the one that showed the page killed',
      store: own.place.kind,
      start: {
        onOpening(url, program) {
          person.see(url);
          if (killed !== undefined) return;
          killed = program;
          void program.kill();
        },
        // The person has had time: the page is another program's to be answered by now. Whether the one that was killed
        // had still said that it waits is nobody's to know.
        onAwaitingUser({ authorizationUrl }, program) {
          if (killed !== undefined && program !== killed) person.act(authorizationUrl, program);
        },
      },
    });
    expect(outcomes).toEqual(answers(PROCESSES - 1));
    expect(new Set(person.shown.map(({ authorizationUrl }) => authorizationUrl)).size).toBe(1);
    expect(spent).toEqual(sum({ approvals: 1, registrations: 1, codesSent: 1 }));
    await lastsBeyondExpiry(scene);
  });

  it('are all answered when the callback is handed to any one of them (RES-06, AUT-08)', async (context) => {
    await using own = await inFiles(context);
    await using scene = await killScene(own, { redirectUri: ANY_PORT, userAgent: 'none' });
    const { person } = scene;
    const another = await scene.start();
    const { outcomes, spent } = await together(context, scene, {
      situation: 'without tokens, the callback handed to a ninth',
      store: own.place.kind,
      start: {
        onAwaitingUser: ({ authorizationUrl }) =>
          void person.approve(authorizationUrl).then((callbackUrl) => another.do({ do: 'complete', callbackUrl })),
      },
    });
    expect(outcomes).toEqual(answers(PROCESSES));
    expect(spent).toEqual(sum({ approvals: 1, registrations: 1, codesSent: 1 }));
  });
});

const TOKENS_AT_THEIR_END: readonly (readonly [situation: string, end: (scene: KillScene) => void])[] = [
  ['with an expired token', (scene) => scene.passAnHour()],
  ['with a token that the resource refuses', (scene) => scene.servers.authorizationServer.expireAccessTokens()],
];

describe.each(TOKENS_AT_THEIR_END)('eight processes %s', KILL_TEST, (situation, end) => {
  it('refresh once, and ask nobody (RFR-05, RES-02)', async (context) => {
    await using own = await inFiles(context);
    await using scene = await killScene(own);
    await scene.signIn();
    end(scene);
    const { outcomes, spent } = await together(context, scene, { situation, store: own.place.kind });
    expect(outcomes).toEqual(answers(PROCESSES));
    expect(spent).toEqual(sum({ refreshes: 1 }));
    await lastsBeyondExpiry(scene);
  });
});

describe('eight processes with an expired token, of which the one that refreshes is killed', KILL_TEST, () => {
  it('when its refresh token had arrived, refresh once more, and ask nobody (RFR-05, RES-08)', async (context) => {
    await using own = await inFiles(context);
    await using scene = await killScene(own);
    await scene.signIn();
    scene.passAnHour();
    scene.servers.respond('token', ({ headers }) => {
      scene.killProcess(headers.get(PROCESS_HEADER));
      return new Promise(() => {});
    });
    const { outcomes, spent } = await together(context, scene, { situation: 'the one that refreshes killed', store: own.place.kind });
    expect(outcomes).toEqual(answers(PROCESSES - 1));
    expect(spent).toEqual(sum({ refreshes: 2 }));
    await lastsBeyondExpiry(scene);
  });

  it('when its tokens were on their way, refresh once more, and are served by one approval (RFR-04, RFR-05, RES-08)', async (context) => {
    await using own = await inFiles(context);
    await using scene = await killScene(own);
    await scene.signIn();
    scene.passAnHour();
    scene.servers.respond('token', async ({ headers }, proceed) => {
      const response = await proceed();
      scene.killProcess(headers.get(PROCESS_HEADER));
      return response;
    });
    const situation = 'the one that has refreshed killed';
    const { outcomes, spent } = await together(context, scene, { situation, store: own.place.kind });
    expect(outcomes).toEqual(answers(PROCESSES - 1));
    expect(spent).toEqual(sum({ refreshes: 2, refreshTokensSentTwice: 1, approvals: 1, codesSent: 1 }));
    await lastsBeyondExpiry(scene);
  });
});
