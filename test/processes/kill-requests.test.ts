/** Kills a real process at every request it makes. */
import { describe, expect, it } from 'vitest';
import type { RequestPurpose } from '../fixtures/scripted/recording.ts';
import { atRequest, type Cost, KILL_TEST, type KillableFlow, type Moment, survives } from '../helpers/kill-point.ts';
import { killScene } from '../helpers/kill-scene.ts';
import { LOGIN, REFRESH, REFRESH_AFTER_401, SIGN_OUT, STEP_UP } from '../helpers/killable-flows.ts';
import { inFiles } from '../helpers/store-places.ts';

/** One request, in words, and what it costs to be killed when it has arrived, and when it is answered. */
interface Requested {
  readonly purpose: RequestPurpose;
  readonly words: string;
  readonly arrived?: Cost;
  readonly answered?: Cost;
}

const asked: Requested = { purpose: 'resource', words: 'the request' };
const askedAgain: Requested = { purpose: 'resource', words: 'the request, sent again,' };
const resourceMetadata: Requested = { purpose: 'resource-metadata', words: 'the look for resource metadata' };
const serverMetadata: Requested = { purpose: 'server-metadata', words: 'the look for server metadata' };
/** The answer names a client that nobody will ever hear of. */
const registration: Requested = { purpose: 'registration', words: 'the registration', answered: { registrations: 1 } };
/** Nobody can know what became of the code: it is not sent again. */
const code: Requested = {
  purpose: 'token',
  words: 'the code',
  arrived: { approvals: 1, codesSent: 1 },
  answered: { approvals: 1, codesSent: 1 },
};
/** A refresh token that was not seen is good; one that was rotated ends the grant. */
const refreshToken: Requested = {
  purpose: 'token',
  words: 'the refresh token',
  arrived: { refreshes: 1 },
  answered: { refreshes: 1, refreshTokensSentTwice: 1, approvals: 1, codesSent: 1 },
};

const FLOWS: readonly (readonly [flow: KillableFlow, ...requests: readonly Requested[]])[] = [
  [LOGIN, asked, resourceMetadata, serverMetadata, registration, code, askedAgain],
  [REFRESH, refreshToken, asked],
  [REFRESH_AFTER_401, asked, resourceMetadata, refreshToken, askedAgain],
  [STEP_UP, asked, resourceMetadata, code, askedAgain],
  [SIGN_OUT],
];

const WHEN: Readonly<Record<Moment, string>> = { arrived: 'had arrived', answered: 'was answered' };

/** What the kill costs, in words. */
function endOf({ approvals = 0, registrations = 0 }: Cost): string {
  if (approvals > 0) return 'asks the user once more';
  return registrations > 0 ? 'leaves one registration that nobody uses' : 'goes on';
}

const PROVES: Partial<Record<RequestPurpose, string>> = {
  registration: 'RES-02, RES-03, RES-08, REG-08',
  token: 'RES-02, RES-03, RES-08',
};

describe.concurrent.each(FLOWS.map(([flow, ...requests]) => ({ ...flow, flow, requests })))('$name', KILL_TEST, ({ flow, requests }) => {
  it('makes the requests at which it is killed here, and no others (RES-02)', async (context) => {
    await using own = await inFiles(context);
    await using scene = await killScene(own);
    await flow.prepare(scene);
    const before = scene.servers.requestsFor().length;
    const program = await scene.start();
    expect(await program.do(flow.task)).toBe(flow.outcome ?? 200);
    const made = scene.servers.requestsFor().slice(before);
    expect(made.map(({ purpose }) => purpose)).toEqual(requests.map(({ purpose }) => purpose));
  });

  for (const [index, requested] of requests.entries()) {
    const { purpose, words } = requested;
    const nth = requests.slice(0, index + 1).filter((other) => other.purpose === purpose).length;
    for (const moment of ['arrived', 'answered'] as const) {
      const cost = requested[moment] ?? {};
      it(`killed when ${words} ${WHEN[moment]}, ${endOf(cost)} (${PROVES[purpose] ?? 'RES-02, STO-02'})`, async (context) => {
        await using own = await inFiles(context);
        await using scene = await killScene(own);
        await survives(context, { flow, kill: atRequest({ purpose, nth, moment }), cost, scene, own });
      });
    }
  }
});
