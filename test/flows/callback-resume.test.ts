import { describe, expect, it } from 'vitest';
import { waitFor } from 'xstate';
import type { AuthorizationClient } from '../../src/client.ts';
import { type Dealing, mortalProcess } from '../helpers/mortal-process.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { settled } from '../helpers/simulated-clock.ts';
import { failureOfCall, untilStep, whileTimePasses } from '../helpers/waiting.ts';

interface Killed extends Scene {
  /** The page the user had, or has. */
  readonly authorizationUrl: string;
  readonly callback: string;
}

/** A login whose process is killed at one of its dealings with the world after the user came back. */
async function killedAt(diesAt: (dealing: Dealing) => boolean): Promise<Killed> {
  const world = scene({ act: () => undefined });
  const mortal = mortalProcess({ store: world.store, fetch: world.servers.fetch }, diesAt);
  const client = world.another({ store: mortal.store, fetch: mortal.fetch });
  client.fetch(world.servers.resource.url, CALL).catch(() => {});
  const { authorizationUrl } = await untilStep(client, 'awaiting-user');
  await settled();
  const callback = await world.servers.approve(authorizationUrl);
  client.completeAuthorization(callback).catch(() => {});
  while (!mortal.isDead) await settled();
  return { ...world, client: world.another(), authorizationUrl, callback };
}

const call = ({ client, servers }: Scene): Promise<Response> => client.fetch(servers.resource.url, CALL);
const codesSent = ({ servers }: Scene): number => servers.requestsFor('token').filter(({ form }) => form.has('code')).length;
const timesAsked = ({ servers }: Scene): number => servers.requests.filter(({ purpose }) => purpose === 'authorization').length;

describe('a login whose process ended while the user was away', () => {
  it('is completed by another process that is handed the callback (AUT-08, RES-06)', async () => {
    const world = scene({ act: () => undefined });
    const pending = call(world);
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    await world.client.close();
    expect(await failureOfCall(pending)).toMatchObject({ code: 'closed' });
    const another = world.another({ userAgent: undefined });
    const status = await another.completeAuthorization(await world.servers.approve(authorizationUrl));
    expect(status).toMatchObject({ step: 'authorized', issuer: 'https://login.example.com' });
    expect((await another.fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(world.servers.requestsFor('registration')).toHaveLength(1);
    expect(timesAsked(world)).toBe(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('goes on in a process that restores it: same page, same redirect URI, no second registration (AUT-08, RES-07)', async () => {
    const world = scene({ act: () => undefined });
    const pending = call(world);
    pending.catch(() => {});
    const before = await untilStep(world.client, 'awaiting-user');
    await world.client.close();
    const another = world.another();
    await another.restore();
    const after = await untilStep(another, 'awaiting-user');
    expect(after.authorizationUrl).toBe(before.authorizationUrl);
    expect(world.user.opened.at(-1)).toMatchObject({ preferredRedirectUri: 'http://127.0.0.1:7777/callback', preferredOnly: true });
    // Its user comes back to the redirect target of the new process.
    const outcome = await world.user.opened.at(-1)?.deliver(await world.servers.approve(after.authorizationUrl));
    expect(outcome).toEqual({ accepted: true });
    await untilStep(another, 'authorized');
    expect(world.servers.requestsFor('registration')).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('starts anew where the redirect target is taken: another attempt, and the old page is worth nothing (RES-07)', async () => {
    const world = scene({ act: () => undefined });
    call(world).catch(() => {});
    const before = await untilStep(world.client, 'awaiting-user');
    await world.client.close();
    let isTaken = true;
    const another = world.another({
      userAgent: {
        open: (request) => {
          const refuses = isTaken;
          isTaken = false;
          return refuses
            ? Promise.reject(new Error('EADDRINUSE'))
            : world.user.open({ ...request, preferredRedirectUri: 'http://127.0.0.1:8888/callback' });
        },
      },
    });
    await another.restore();
    const after = await untilStep(another, 'awaiting-user');
    expect(after.authorizationUrl).not.toBe(before.authorizationUrl);
    expect(await failureOfCall(another.completeAuthorization(await world.servers.approve(before.authorizationUrl)))).toMatchObject({
      code: 'callback_not_expected',
    });
    await another.completeAuthorization(await world.servers.approve(after.authorizationUrl));
    expect(another.status.step).toBe('authorized');
    expect(codesSent(world)).toBe(1);
    expect(world.servers.violations).toEqual([]);
  });
});

describe('a callback for a client that has not read the store yet', () => {
  it('opens no redirect target and shows no page: the user is back already (RES-06)', async () => {
    const world = scene({ act: () => undefined });
    const pending = call(world);
    pending.catch(() => {});
    const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
    await world.client.close();
    const another = world.another();
    await another.completeAuthorization(await world.servers.approve(authorizationUrl));
    expect(another.status.step).toBe('authorized');
    expect(world.user.opened).toHaveLength(1);
    expect(world.user.shown).toEqual([authorizationUrl]);
    expect(world.servers.violations).toEqual([]);
  });

  it('is accepted while a request of the same client begins to read it, whichever comes first (RES-06, AUT-05)', async () => {
    for (const turns of [0, 1, 2, 4, 8, 16, 32, 64]) {
      const world = scene({ act: () => undefined });
      call(world).catch(() => {});
      const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
      await world.client.close();
      const callback = await world.servers.approve(authorizationUrl);
      const another = world.another();
      const completed = another.completeAuthorization(callback);
      for (let turn = 0; turn < turns; turn += 1) await undefined;
      const response = another.fetch(world.servers.resource.url, CALL);
      expect(await completed, `${turns} turns`).toMatchObject({ step: 'authorized' });
      expect((await response).status, `${turns} turns`).toBe(200);
      expect(codesSent(world), `${turns} turns`).toBe(1);
      expect(world.servers.violations).toEqual([]);
    }
  });
});

describe('a login whose process was killed after the user came back', () => {
  it('asks again, if the code was marked as sent: nobody can know that it was not (RES-08, AUT-09)', async () => {
    const world = await killedAt((dealing) => dealing === 'POST /token');
    expect(codesSent(world)).toBe(0);
    expect((await world.client.restore()).step).toBe('unauthorized');
    await asksAgain(world);
  });

  it('goes on without asking again, if the callback was stored and nothing more (RES-02, RES-08)', async () => {
    const world = await killedAt(afterCallback());
    expect((await whileTimePasses(world.clock, call(world))).status).toBe(200);
    expect(timesAsked(world)).toBe(1);
    expect(codesSent(world)).toBe(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('takes the callback once more from whoever hands it to the new process, and from nobody after that (RES-02, AUT-05)', async () => {
    const world = await killedAt(afterCallback());
    const completing = whileTimePasses(world.clock, world.client.completeAuthorization(world.callback));
    expect(await completing).toMatchObject({ step: 'authorized' });
    expect(await failureOfCall(world.client.completeAuthorization(world.callback))).toMatchObject({ code: 'callback_not_expected' });
    expect(codesSent(world)).toBe(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('goes on in one of two processes that find it, and the other adopts its tokens (RES-02, AUT-09)', async () => {
    const world = await killedAt(afterCallback());
    const other = world.another();
    await Promise.all([world.client.restore(), other.restore()]);
    await whileTimePasses(world.clock, Promise.allSettled([settledOutcome(world.client), settledOutcome(other)]));
    expect([world.client, other].map(({ status }) => status.step)).toEqual(['authorized', 'authorized']);
    expect(codesSent(world)).toBe(1);
    expect(timesAsked(world)).toBe(1);
    const responses = [call(world), other.fetch(world.servers.resource.url, CALL)];
    expect((await Promise.all(responses)).map(({ status }) => status)).toEqual([200, 200]);
    expect(timesAsked(world)).toBe(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('asks again, and sends no code twice, if the answer to the code was lost (RES-02, AUT-09)', async () => {
    const world = await killedAt((dealing) => dealing === 'answer /token');
    expect(codesSent(world)).toBe(1);
    expect((await world.client.restore()).step).toBe('unauthorized');
    expect(await failureOfCall(world.client.completeAuthorization(world.callback))).toMatchObject({ code: 'callback_not_expected' });
    await asksAgain(world);
    expect(codesSent(world)).toBe(2);
    expect(world.servers.violations).toEqual([]);
  });

  it('has its tokens, if they were stored (RES-02)', async () => {
    const world = await killedAt((dealing) => dealing.startsWith('write binding/'));
    const response = await whileTimePasses(world.clock, settling(world));
    expect(response.status).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });

  it('asks at most once more, sends no code twice and loses nothing, at whichever dealing it dies (RES-02, AUT-09)', async () => {
    const complete = scene({ act: () => undefined });
    const recording = mortalProcess({ store: complete.store, fetch: complete.servers.fetch }, () => false);
    const client = complete.another({ store: recording.store, fetch: recording.fetch });
    client.fetch(complete.servers.resource.url, CALL).catch(() => {});
    const { authorizationUrl } = await untilStep(client, 'awaiting-user');
    await settled();
    const before = recording.dealings.length;
    await client.completeAuthorization(await complete.servers.approve(authorizationUrl));
    await settled();
    const dealings = recording.dealings.slice(before);
    const at = (start: string): number => dealings.findIndex((dealing) => dealing.startsWith(start));
    const [storesCallback, marksCode, storesTokens] = [at('write vault/callback/'), at('take vault/attempt/'), at('write credential/')];
    expect([storesCallback, marksCode, storesTokens]).toEqual(
      [...[storesCallback, marksCode, storesTokens]].sort((one, other) => one - other),
    );
    for (const [index, dealing] of dealings.entries()) {
      let passed = 0;
      const world = await killedAt(() => passed++ === before + index);
      const response = await whileTimePasses(world.clock, settling(world));
      expect(response.status, dealing).toBe(200);
      expect(world.servers.violations, dealing).toEqual([]);
      expect(world.servers.requestsFor('registration'), dealing).toHaveLength(1);
      const isKept = (index > storesCallback && index <= marksCode) || index > storesTokens;
      expect(timesAsked(world), `killed before ${dealing}`).toBe(isKept ? 1 : 2);
    }
  });
});

/** Just before the code is marked as sent, with the callback in the vault. */
function afterCallback(): (dealing: Dealing) => boolean {
  let hasCallback = false;
  return (dealing) => {
    const isNext = hasCallback && dealing.startsWith('take ');
    hasCallback ||= dealing.startsWith('write vault/callback/');
    return isNext;
  };
}

/** Resolves when the flow of the client is at rest. */
async function settledOutcome({ actor }: AuthorizationClient): Promise<void> {
  await waitFor(actor, (snapshot) => snapshot.matches('resting'));
}

/** A new process sends a request; its user approves whatever page there is. */
async function settling(world: Killed): Promise<Response> {
  const pending = call(world);
  let isDone = false;
  pending
    .finally(() => {
      isDone = true;
    })
    .catch(() => {});
  while (!isDone) {
    await settled();
    // The lease of the dead process has to run out.
    if (world.client.status.step === 'awaiting-other') await world.clock.advance(100);
    const { status } = world.client;
    if (status.step === 'awaiting-user') await world.client.completeAuthorization(await world.servers.approve(status.authorizationUrl));
  }
  return pending;
}

/** A new process is asked for the resource: its user sees another page, and approves. */
async function asksAgain(world: Killed): Promise<void> {
  const pending = call(world);
  const { authorizationUrl } = await whileTimePasses(world.clock, untilStep(world.client, 'awaiting-user'));
  expect(authorizationUrl).not.toBe(world.authorizationUrl);
  await world.client.completeAuthorization(await world.servers.approve(authorizationUrl));
  expect((await pending).status).toBe(200);
  expect(world.servers.requestsFor('registration')).toHaveLength(1);
}
