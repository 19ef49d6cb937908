/** Kills a real process before each change it makes while it refreshes and while it signs out. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StorePlace } from '../fixtures/killable/contract.ts';
import { beforeDealing, type Cost, KILL_TEST, type KillableFlow, survives } from '../helpers/kill-point.ts';
import { killScene } from '../helpers/kill-scene.ts';
import { REFRESH, SIGN_OUT } from '../helpers/killable-flows.ts';
import { inFiles } from '../helpers/store-places.ts';

/** The rotated token is lost with its process; the old one ends the grant when it is seen again. */
const rotationLost: Cost = { refreshes: 1, refreshTokensSentTwice: 1, approvals: 1, codesSent: 1 };

const REFRESHING: readonly (readonly [dealing: string, words: string, cost?: Cost])[] = [
  ['lease lease/credential/', 'before it takes its turn'],
  ['POST /token', 'before the refresh token is sent'],
  ['answer /token', 'when the tokens have come', rotationLost],
  ['write vault/tokens/', 'before the tokens are stored', rotationLost],
  ['write credential/', 'before the credential is replaced', rotationLost],
  ['delete vault/tokens/', 'before the old tokens are deleted'],
  ['release lease/credential/', 'before it gives up its turn'],
  ['POST /mcp', 'before the request is sent'],
];

describe.concurrent('a refresh', KILL_TEST, () => {
  for (const [name, words, cost = {}] of REFRESHING) {
    const end = cost === rotationLost ? 'asks the user once more' : 'goes on';
    it(`killed ${words}, ${end} (RES-02, RES-03, RES-08, RFR-05)`, async (context) => {
      await using own = await inFiles(context);
      await using scene = await killScene(own);
      await survives(context, { flow: REFRESH, kill: beforeDealing(name), cost, scene, own });
    });
  }
});

const SIGNING_OUT: readonly (readonly [dealing: string, words: string, approvals: number])[] = [
  ['delete vault/tokens/', 'before the tokens are deleted', 0],
  ['delete credential/', 'before the credential is deleted', 1],
  ['delete binding/', 'before the issuer is forgotten', 1],
];

describe.concurrent('a sign-out', KILL_TEST, () => {
  for (const [name, words, approvals] of SIGNING_OUT) {
    it(`killed ${words}, is finished by the next: no token stays in the store (RES-02, OUT-01)`, async (context) => {
      await using own = await inFiles(context);
      await using scene = await killScene(own);
      await survives(context, { flow: SIGN_OUT, kill: beforeDealing(name), scene, own });
      expect(await tokensIn(own.place)).toEqual([]);
      // Whoever signed out can sign in again, as the client that was registered before.
      expect(await scene.call('')).toBe(200);
      expect(scene.count()).toMatchObject({ approvals: 2, registrations: 1, violations: [] });
    });

    it(`killed ${words}, ${approvals === 0 ? 'has not happened' : 'has happened'} for a request that comes next (RES-02, OUT-01)`, async (context) => {
      await using own = await inFiles(context);
      await using scene = await killScene(own);
      const flow: KillableFlow = { ...SIGN_OUT, next: { do: 'call', path: '' }, outcome: 200 };
      await survives(context, { flow, kill: beforeDealing(name), cost: { approvals, codesSent: approvals }, scene, own });
    });
  }
});

/** Access and refresh tokens as the scripted server marks them. */
async function tokensIn(place: StorePlace): Promise<readonly string[]> {
  if (place.kind !== 'file') throw new Error('Only the files of a file store can be searched.');
  const names = await readdir(place.directory);
  const texts = await Promise.all(names.map((name) => readFile(join(place.directory, name), 'utf8')));
  return texts.flatMap((text) => [...text.matchAll(/SECRET-(?:access|refresh)-token[\w-]*/g)].map(([token]) => token));
}
