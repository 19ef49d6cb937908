/** Eight real processes at once on one store. */
import { describe, expect, it } from 'vitest';
import { PROCESS_HEADER } from '../fixtures/killable/contract.ts';
import { KILL_TEST, lastsBeyondExpiry, sum } from '../helpers/kill-point.ts';
import { type KillScene, killScene } from '../helpers/kill-scene.ts';
import { PROCESSES, together } from '../helpers/many-processes.ts';
import { inFiles } from '../helpers/store-places.ts';

const answers = (count: number): readonly number[] => Array.from({ length: count }, () => 200);

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
});
