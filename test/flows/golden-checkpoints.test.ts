import { existsSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AuthorizationStatus } from '../../src/status.ts';
import { GOLDEN_DIRECTORY, type Golden, goldenCheckpoints } from '../fixtures/checkpoints/golden.ts';
import { storesOfEveryState } from '../fixtures/checkpoints/lives.ts';
import { filledStore } from '../helpers/dumping-store.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { settled, simulatedClock } from '../helpers/simulated-clock.ts';
import { untilStep } from '../helpers/waiting.ts';
import { stateNodes } from '../machines/explore.ts';

type Step = AuthorizationStatus['step'];

interface Outcome {
  readonly step: Step;
  /** The user has a page: it is shown again as it was, and completes the login. */
  readonly hasPage?: boolean;
  /** The user has been back: the code is sent, once, and nobody is asked. */
  readonly sendsCode?: boolean;
}

const NOTHING: Outcome = { step: 'unauthorized' };
const KEPT: Outcome = { step: 'authorized' };
const PAGE: Outcome = { step: 'awaiting-user', hasPage: true };
const CODE: Outcome = { step: 'authorized', sendsCode: true };
/** The credential is there, and the page of the step-up can still be completed. */
const KEPT_WITH_PAGE: Outcome = { step: 'authorized', hasPage: true };

/** What a process finds that is started on the store. */
const OUTCOMES: Readonly<Record<string, Outcome>> = {
  'resting.authorized': KEPT,
  'resting.authorized for a step-up': KEPT,
  'resting.cancelled': NOTHING,
  'resting.failed.forGood': NOTHING,
  'resting.failed.forNow': NOTHING,
  'resting.unauthorized': NOTHING,
  'working.discovering.lookingForResourceMetadata': NOTHING,
  // A rejected code leads back to whose turn it is.
  'working.joining.takingTurn': NOTHING,
  // Nobody was signed in yet, and a login that was being ended is not gone on with.
  'working.signingOut': NOTHING,
  'working.loggingIn.awaitingClient': { step: 'awaiting-client' },
  'working.loggingIn.openingRedirect': NOTHING,
  'working.loggingIn.openingRedirect for a step-up': KEPT,
  'working.loggingIn.findingClient': NOTHING,
  'working.loggingIn.findingClient for a step-up': KEPT,
  'working.loggingIn.registering': NOTHING,
  'working.loggingIn.registering for a step-up': KEPT,
  'working.loggingIn.discardingClient': NOTHING,
  'working.loggingIn.doubtingClient': NOTHING,
  'working.loggingIn.preparingRequest': NOTHING,
  'working.loggingIn.preparingRequest for a step-up': KEPT,
  'working.loggingIn.recordingRequest': PAGE,
  'working.loggingIn.recordingRequest for a step-up': KEPT_WITH_PAGE,
  'working.loggingIn.presentingRequest': PAGE,
  'working.loggingIn.presentingRequest for a step-up': KEPT_WITH_PAGE,
  'working.loggingIn.awaitingUser': PAGE,
  'working.loggingIn.awaitingUser for a step-up': KEPT_WITH_PAGE,
  'working.loggingIn.reopeningRedirect': PAGE,
  'working.loggingIn.checkingCallback': CODE,
  'working.loggingIn.checkingCallback for a step-up': CODE,
  // Written down before the code is marked as sent.
  'working.loggingIn.exchangingCode': CODE,
  'working.loggingIn.exchangingCode for a step-up': CODE,
  // From the version on that stores the metadata of a server once for all logins.
  'working.loggingIn.awaitingUser with shared metadata': PAGE,
  'working.loggingIn.awaitingUser for a step-up with shared metadata': KEPT_WITH_PAGE,
  'working.loggingIn.checkingCallback with shared metadata': CODE,
  'working.loggingIn.exchangingCode with shared metadata': CODE,
};

/** A process of today, on the store that one of an earlier version has left. */
async function opened({ writtenAtEpochMs, store }: Golden) {
  const clock = simulatedClock(writtenAtEpochMs + 10_000);
  const clientIds = [...new Set(JSON.stringify(store).match(/client-\d+-of-login\.example\.com/g))];
  return scene({
    act: () => undefined,
    clock,
    store: await filledStore(clock, store),
    // The server still knows its clients; the codes it gave out are not known to the one that plays it here.
    authorizationServer: { clients: clientIds.map((client_id) => ({ client_id })) },
  });
}

const answerToCode = { access_token: 'SECRET-access-token', token_type: 'Bearer', expires_in: 3600, scope: 'read write' };

interface Flow {
  readonly context?: { readonly grant?: { readonly authorizationUrl?: string } };
}

function pageOf({ store }: Golden): string | undefined {
  const flow = Object.entries(store).find(([key]) => key.startsWith('flow/'))?.[1].value as Flow | undefined;
  return flow?.context?.grant?.authorizationUrl;
}

describe('a store that an earlier version has left', () => {
  it('there is one for every state that a login can be stored in; `npm run golden` adds what is missing (RES-01, RES-04)', async () => {
    const stores = await storesOfEveryState();
    if (process.env['GOLDEN'] === 'add') {
      for (const [name, golden] of stores) {
        const file = `${GOLDEN_DIRECTORY}${name.replaceAll(' ', '-')}.json`;
        if (!existsSync(file)) writeFileSync(file, `${JSON.stringify(golden, undefined, 2)}\n`);
      }
    }
    const kept = new Set(goldenCheckpoints().map(({ name }) => name));
    expect([...stores.keys()].filter((name) => !kept.has(name))).toEqual([]);
    const states = stateNodes()
      .filter(({ type, path }) => type === 'atomic' && path[1] === 'loggingIn')
      .map(({ path }) => path.join('.'));
    expect(states.filter((state) => !kept.has(state))).toEqual([]);
  });

  it.each(goldenCheckpoints().map((golden) => [golden.name, golden] as const))(
    'in %s is read, and goes on as it should (RES-04, RES-02)',
    async (name, golden) => {
      const expected = OUTCOMES[name];
      if (expected === undefined) throw new Error('say in OUTCOMES what becomes of it');
      const world = await opened(golden);
      if (expected.sendsCode === true) world.servers.respond('token', () => Response.json(answerToCode), { times: 1 });
      await world.client.restore();
      await untilStep(world.client, expected.step);
      await settled();
      expect(world.client.status.step).toBe(expected.step);
      expect(world.servers.requestsFor('token')).toHaveLength(expected.sendsCode === true ? 1 : 0);
      expect(world.servers.requests.filter(({ purpose }) => purpose === 'authorization')).toEqual([]);
      if (expected.hasPage !== true) return;
      const page = pageOf(golden) as string;
      expect(world.user.shown).toEqual(expected.step === 'awaiting-user' ? [page] : []);
      expect(await world.client.completeAuthorization(await world.servers.approve(page))).toMatchObject({ step: 'authorized' });
      expect((await world.client.fetch(world.servers.resource.url, CALL)).status).toBe(200);
      expect(world.servers.violations).toEqual([]);
    },
  );
});
