/**
 * A program is killed at one moment and started again: what becomes of it, and what
 * it costs. To see one point alone, name its test:
 * `npm test -- test/processes/kill-requests.test.ts -t 'a login > killed when the registration was answered'`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, type TestContext } from 'vitest';
import type { Outcome, Task } from '../fixtures/killable/contract.ts';
import type { RequestPurpose } from '../fixtures/scripted/recording.ts';
import type { Count, KillScene } from './kill-scene.ts';
import './kill-totals.ts';
import type { Program } from './killable-program.ts';
import type { OwnPlace } from './store-places.ts';

/** Every point recovers within this time, the wait for the lease of the dead process included (RES-08). */
export const RECOVERY_LIMIT_MS = 10_000;

/** Long enough for a busy machine, and shorter than a test may take. */
const HANGS_MS = 45_000;

/** For tests of one kill each: a busy machine takes its time, and only what hangs is to be ended. */
export const KILL_TEST = { timeout: 60_000 } as const;

/** What a flow costs, or a kill beyond that; nothing, unless it is said. */
export type Cost = Partial<Pick<Count, 'approvals' | 'registrations' | 'codesSent' | 'refreshes' | 'refreshTokensSentTwice'>>;

export interface KillableFlow {
  readonly name: string;
  readonly task: Task;
  /** What has happened before. */
  readonly prepare: (scene: KillScene) => Promise<void> | void;
  /** Of the task, undisturbed. */
  readonly cost: Cost;
  /** What the next process is asked for. Default: the same. */
  readonly next?: Task;
  /** Of the next process. Default 200. */
  readonly outcome?: Outcome;
  /** What comes after that answer, and counts. */
  readonly afterwards?: (scene: KillScene) => Promise<void>;
}

/** Starts the victim; resolves once it is dead. */
export type Killing = (scene: KillScene, task: Task) => Promise<void>;

/** `arrived`: the request is there, and never answered. `answered`: the answer is written, and never read. */
export type Moment = 'arrived' | 'answered';

/** Kills at the n-th request of that purpose. */
export function atRequest(at: { readonly purpose: RequestPurpose; readonly nth: number; readonly moment: Moment }): Killing {
  return async (scene, task) => {
    const victim = await scene.start();
    scene.servers.respond(
      at.purpose,
      async (request, proceed) => {
        if (at.moment === 'arrived') {
          void victim.kill();
          return new Promise(() => {});
        }
        victim.freeze();
        const response = await proceed();
        // The scripted servers abort this signal also when the answer is written to its end.
        request.signal?.addEventListener('abort', () => void victim.kill());
        return response;
      },
      { after: at.nth - 1 },
    );
    await untilDead(victim, task);
  };
}

/** Kills just before the n-th dealing with the world whose name begins so: `write credential/`, `answer /token`. */
export function beforeDealing(name: string, nth = 1): Killing {
  return async (scene, task) => {
    let seen = 0;
    const victim = await scene.start({
      asks: true,
      onDealing(dealing, program, goOn) {
        if (dealing.startsWith(name)) seen += 1;
        if (dealing.startsWith(name) && seen === nth) void program.kill();
        else goOn();
      },
    });
    await untilDead(victim, task);
  };
}

/** Lets the person do something as soon as the page is open, then kills. */
export const whenOpened =
  (meanwhile: (authorizationUrl: string, scene: KillScene) => unknown = () => undefined): Killing =>
  async (scene, task) => {
    const onOpening = async (authorizationUrl: string, program: Program): Promise<void> => {
      scene.person.see(authorizationUrl);
      await meanwhile(authorizationUrl, scene);
      await program.kill();
    };
    await untilDead(await scene.start({ onOpening: (url, program) => void onOpening(url, program) }), task);
  };

/** Gives the task, and waits for the end. */
export async function untilDead(victim: Program, task: Task): Promise<void> {
  const outcome = await Promise.race([victim.gone, victim.do(task)]);
  if (outcome !== undefined) throw new Error(`The program came to its end (${outcome}) before the moment at which it was to be killed.`);
}

/**
 * Kills, starts the program once more with the same task, and compares: it ends as it
 * would have ended, at the flow's own cost and no other than that of the kill, its
 * records are closed to others, and its login lasts.
 */
export async function survives(
  context: TestContext,
  given: { readonly flow: KillableFlow; readonly kill: Killing; readonly cost?: Cost; readonly scene: KillScene; readonly own: OwnPlace },
): Promise<void> {
  const { flow, kill, cost = {}, scene, own } = given;
  const { meta } = context.task;
  const place = { flow: flow.name, store: own.place.kind };
  await flow.prepare(scene);
  const before = scene.count();
  await kill(scene, flow.task);
  meta.killed = place;

  const recoveryMs = await finished(scene, flow);
  await flow.afterwards?.(scene);
  const spent = difference(scene.count(), before);
  expect(spent).toEqual(sum(flow.cost, cost));
  expect(recoveryMs).toBeLessThan(RECOVERY_LIMIT_MS);
  expect(await own.openToOthers()).toEqual([]);
  const { next = flow.task } = flow;
  if (next.do === 'call') await lastsBeyondExpiry(scene, next.path);
  meta.recovered = {
    ...place,
    askedAgain: spent.approvals - (flow.cost.approvals ?? 0),
    orphans: spent.registrations - (flow.cost.registrations ?? 0),
    codesSentTwice: spent.codesSentTwice,
    refreshTokensSentTwice: spent.refreshTokensSentTwice,
    recoveryMs,
  };
}

/** Gives the task to a program that has just been started: how long that took, a busy machine's queue left out. */
async function finished(scene: KillScene, { task, next = task, outcome = 200 }: KillableFlow): Promise<number> {
  const program = await scene.start();
  const startedAtMs = performance.now();
  const hangs = sleep(HANGS_MS, 'no answer', { ref: false });
  // Whoever reads that one hangs wants to know where.
  expect(await Promise.race([program.do(next), hangs]), scene.servers.wire().join('\n')).toBe(outcome);
  const recoveryMs = performance.now() - startedAtMs - program.queuedMs;
  await program.kill();
  return recoveryMs;
}

/** The next process renews what this one has stored, and asks nobody. */
export async function lastsBeyondExpiry(scene: KillScene, path = ''): Promise<void> {
  const before = scene.count();
  scene.passAnHour();
  expect(await scene.call(path)).toBe(200);
  expect(difference(scene.count(), before)).toEqual(sum({ refreshes: 1 }));
}

export function difference(now: Count, before: Count): Count {
  const less = (name: keyof Omit<Count, 'violations'>): number => now[name] - before[name];
  return {
    approvals: less('approvals'),
    registrations: less('registrations'),
    codesSent: less('codesSent'),
    codesSentTwice: less('codesSentTwice'),
    refreshes: less('refreshes'),
    refreshTokensSentTwice: less('refreshTokensSentTwice'),
    violations: now.violations,
  };
}

export function sum(...costs: readonly Cost[]): Count {
  const all = (name: keyof Cost): number => costs.reduce((total, cost) => total + (cost[name] ?? 0), 0);
  return {
    approvals: all('approvals'),
    registrations: all('registrations'),
    codesSent: all('codesSent'),
    codesSentTwice: 0,
    refreshes: all('refreshes'),
    refreshTokensSentTwice: all('refreshTokensSentTwice'),
    violations: [],
  };
}
