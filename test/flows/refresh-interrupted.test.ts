import { describe, expect, it } from 'vitest';
import { holdWrite } from '../helpers/held-write.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { type SignedIn, signedIn, UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { failureOfCall, settled, whileTimePasses } from '../helpers/waiting.ts';

/** A refresh that the server has carried out, and whose answer is on its way. */
async function refreshUnderWay() {
  const stage = await signedIn();
  await stage.clock.advance(UNTIL_EXPIRED_MS);
  let arrive = (): void => {};
  stage.servers.respond('token', async (_, proceed) => {
    const answer = await proceed();
    await new Promise<void>((resolve) => {
      arrive = resolve;
    });
    return answer;
  });
  const pending = stage.call();
  pending.catch(() => {});
  await settled();
  expect(stage.grants()).toEqual(['refresh_token']);
  return { ...stage, pending, arrive: () => arrive() };
}

const callAnother = async ({ servers, another }: SignedIn): Promise<number> => (await another().fetch(servers.resource.url, CALL)).status;

describe('a refresh that is under way', () => {
  it('when the flow is cancelled is kept all the same: no rotated token is lost (RFR-02, FET-07)', async () => {
    const stage = await refreshUnderWay();
    stage.client.cancel();
    expect((await failureOfCall(stage.pending)).code).toBe('cancelled');
    stage.arrive();
    await settled();
    expect(await whileTimePasses(stage.clock, stage.call())).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
    // What was adopted is refreshed like any other.
    stage.servers.authorizationServer.expireAccessTokens();
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token', 'refresh_token']);
    expect(stage.user.shown).toHaveLength(1);
    expect(stage.servers.violations).toEqual([]);
  });

  it('when the flow is cancelled keeps its turn: nobody sends the old token again (RFR-05, FET-07)', async () => {
    const stage = await refreshUnderWay();
    stage.client.cancel();
    const [own, others] = [stage.call(), callAnother(stage)];
    await stage.clock.advance(8_000);
    expect(stage.grants()).toEqual(['refresh_token']);
    stage.arrive();
    expect(await whileTimePasses(stage.clock, Promise.all([own, others]))).toEqual([200, 200]);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(stage.servers.violations).toEqual([]);
  });

  it('when its only caller goes away is kept all the same (RFR-02, FET-07)', async () => {
    const stage = await signedIn();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    const controller = new AbortController();
    stage.servers.respond('token', async (_, proceed) => {
      const answer = await proceed();
      controller.abort();
      return answer;
    });
    await expect(stage.client.fetch(stage.servers.resource.url, { ...CALL, signal: controller.signal })).rejects.toThrow('abort');
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
  });

  it('when the client is closed is stored before close resolves (RFR-02)', async () => {
    const stage = await refreshUnderWay();
    let isClosed = false;
    const closing = stage.client.close().then(() => {
      isClosed = true;
    });
    await settled();
    expect(isClosed).toBe(false);
    stage.arrive();
    await closing;
    expect((await failureOfCall(stage.pending)).code).toBe('closed');
    expect(await callAnother(stage)).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(stage.user.shown).toHaveLength(1);
    expect(stage.servers.violations).toEqual([]);
  });

  it('when the account signs out is given up, and leaves nothing behind (RFR-02)', async () => {
    const stage = await refreshUnderWay();
    expect((await stage.client.signOut()).step).toBe('unauthorized');
    stage.arrive();
    await settled();
    expect((await failureOfCall(stage.pending)).code).toBe('signed_out');
    expect(await stage.client.accessToken()).toBeUndefined();
    expect((await stage.another().restore()).step).toBe('unauthorized');
    expect(stage.servers.requestsFor('token').at(-1)?.signal?.aborted).toBe(true);
  });

  it('whose tokens are just being stored when the account signs out leaves nothing behind either (RFR-02)', async () => {
    const stage = await signedIn();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    const storing = holdWrite(stage.store, (key) => key.startsWith('credential/'));
    const pending = failureOfCall(stage.call());
    await storing.reached;
    const signingOut = stage.client.signOut();
    await settled();
    storing.release();
    expect((await signingOut).step).toBe('unauthorized');
    expect((await pending).code).toBe('signed_out');
    expect(await stage.client.accessToken()).toBeUndefined();
    expect((await stage.another().restore()).step).toBe('unauthorized');
  });
});

describe('a login whose tokens are just being stored', () => {
  it('when the account signs out leaves nothing behind (RFR-02)', async () => {
    const stage = scene();
    const storing = holdWrite(stage.store, (key) => key.startsWith('credential/'));
    const pending = failureOfCall(stage.client.fetch(stage.servers.resource.url, CALL));
    await storing.reached;
    const signingOut = stage.client.signOut();
    await settled();
    storing.release();
    expect((await signingOut).step).toBe('unauthorized');
    expect((await pending).code).toBe('signed_out');
    expect(await stage.client.accessToken()).toBeUndefined();
    expect((await stage.another().restore()).step).toBe('unauthorized');
  });
});

describe('a turn that is granted only after the flow was cancelled', () => {
  it('is given back (RFR-05, FET-07)', async () => {
    const stage = await signedIn();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    const acquire = stage.store.acquireLease;
    let grant = (): void => {};
    const asked = new Promise<void>((isAsked) => {
      Object.assign(stage.store, {
        acquireLease: async (...parameters: Parameters<typeof acquire>) => {
          const lease = await acquire(...parameters);
          isAsked();
          await new Promise<void>((resolve) => {
            grant = resolve;
          });
          return lease;
        },
      });
    });
    const pending = failureOfCall(stage.call());
    await asked;
    stage.client.cancel();
    Object.assign(stage.store, { acquireLease: acquire });
    grant();
    expect((await pending).code).toBe('cancelled');
    await settled();
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
  });
});
