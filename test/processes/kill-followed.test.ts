/** Kills the process that has a login under way, while another waits for its outcome. */
import { describe, expect, it } from 'vitest';
import { type Cost, KILL_TEST, lastsBeyondExpiry, RECOVERY_LIMIT_MS, sum } from '../helpers/kill-point.ts';
import { killScene } from '../helpers/kill-scene.ts';
import { LOGIN } from '../helpers/killable-flows.ts';
import { inFiles } from '../helpers/store-places.ts';

const POINTS: readonly (readonly [dealing: string, words: string, cost?: Cost])[] = [
  ['answer /register', 'when it was registered', { registrations: 1 }],
  ['write vault/attempt/', 'before there is a page'],
  ['take vault/attempt/', 'before the code is marked as sent'],
  ['POST /token', 'before the code is sent', { approvals: 1 }],
  ['write credential/', 'before the credential is stored', { approvals: 1, codesSent: 1 }],
];

describe.concurrent('a login that another process follows', KILL_TEST, () => {
  for (const [name, words, cost = {}] of POINTS) {
    it(`killed ${words}, is finished by the other (RES-02, RES-08, AUT-08)`, async (context) => {
      await using own = await inFiles(context);
      await using scene = await killScene(own);
      const { person } = scene;
      const follower = await scene.start();
      let following: Promise<number | string> | undefined;
      const holder = await scene.start({
        asks: true,
        onOpening(url, program) {
          person.see(url);
          person.act(url, program);
        },
        onDealing(dealing, program, goOn) {
          // The other comes as soon as this one has the lease.
          if (dealing.startsWith('write flow/')) following ??= follower.do(LOGIN.task);
          if (dealing.startsWith(name)) void program.kill();
          else goOn();
        },
      });
      expect(await Promise.race([holder.do(LOGIN.task), holder.gone])).toBe(undefined);
      context.task.meta.killed = { flow: 'a login that another follows', store: own.place.kind };
      const killedAtMs = performance.now();
      expect(await following, scene.servers.wire().join('\n')).toBe(200);
      const recoveryMs = Math.max(0, performance.now() - killedAtMs - follower.queuedMs);
      expect(recoveryMs).toBeLessThan(RECOVERY_LIMIT_MS);
      expect(scene.count()).toEqual(sum(LOGIN.cost, cost));
      await lastsBeyondExpiry(scene);
      context.task.meta.recovered = {
        ...context.task.meta.killed,
        askedAgain: cost.approvals ?? 0,
        orphans: cost.registrations ?? 0,
        codesSentTwice: 0,
        refreshTokensSentTwice: 0,
        recoveryMs,
      };
    });
  }
});
