/** The user has approved, and the code is on its way: what becomes of it when the flow is left in the middle. */
import { describe, expect, it } from 'vitest';
import { holdWrite } from '../helpers/held-write.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, settled, untilStep } from '../helpers/waiting.ts';

const call = ({ servers }: Scene, client: Scene['client']): Promise<number> =>
  client.fetch(servers.resource.url, CALL).then(({ status }) => status);

const codesSent = ({ servers }: Scene): number => servers.requestsFor('token').length;

/** The server has issued the tokens, and its answer is on its way. */
async function codeUnderWay() {
  const world = scene();
  let arrive = (): void => {};
  world.servers.respond('token', async (_, proceed) => {
    const answer = await proceed();
    await new Promise<void>((resolve) => {
      arrive = resolve;
    });
    return answer;
  });
  const pending = call(world, world.client);
  pending.catch(() => {});
  await untilStep(world.client, 'exchanging');
  while (codesSent(world) === 0) await settled();
  await settled();
  return { ...world, pending, arrive: () => arrive() };
}

/** Resolves to what it has come to, so far. */
function watched(work: Promise<unknown>): { isDone: boolean; readonly done: Promise<void> } {
  const found = {
    isDone: false,
    done: work.then(() => {
      found.isDone = true;
    }),
  };
  return found;
}

describe('a code that is being exchanged', () => {
  it('when the client is closed is answered first: the next process has the tokens, and nobody is asked again (RES-02, AUT-09)', async () => {
    const world = await codeUnderWay();
    const closing = watched(world.client.close());
    expect((await failureOfCall(world.pending)).code).toBe('closed');
    await settled();
    expect(closing.isDone).toBe(false);
    world.arrive();
    await closing.done;
    expect(await call(world, world.another())).toBe(200);
    expect(codesSent(world)).toBe(1);
    expect(world.user.shown).toHaveLength(1);
    expect(world.servers.violations).toEqual([]);
  });

  it('when the client is closed just as it was marked as sent is sent and answered all the same (RES-02, RES-08)', async () => {
    const world = scene();
    const marking = holdWrite(world.store, (key, value) => key.startsWith('vault/callback/') && !('callbackUrl' in value));
    const pending = call(world, world.client);
    pending.catch(() => {});
    await marking.reached;
    const closing = watched(world.client.close());
    await settled();
    expect(closing.isDone).toBe(false);
    marking.release();
    await closing.done;
    expect((await failureOfCall(pending)).code).toBe('closed');
    expect(await call(world, world.another())).toBe(200);
    expect(codesSent(world)).toBe(1);
    expect(world.user.shown).toHaveLength(1);
  });

  it('when the client is closed before it was touched is left to the next process (RES-02, AUT-09)', async () => {
    const world = scene();
    const deciding = holdWrite(world.store, (key, value) => key.startsWith('flow/') && JSON.stringify(value).includes('exchangingCode'));
    const pending = call(world, world.client);
    pending.catch(() => {});
    await deciding.reached;
    const closing = world.client.close();
    deciding.release();
    await closing;
    expect(codesSent(world)).toBe(0);
    expect(await call(world, world.another())).toBe(200);
    expect(codesSent(world)).toBe(1);
    expect(world.user.shown).toHaveLength(1);
  });

  it('when the client is closed keeps nobody waiting for an answer that never comes (SEC-02)', async () => {
    const world = scene({ client: { limits: { requestTimeoutMs: 20 } } });
    world.servers.respond('token', () => new Promise<Response>(() => {}));
    const pending = call(world, world.client);
    pending.catch(() => {});
    while (codesSent(world) === 0) await settled();
    await world.client.close();
    expect((await failureOfCall(pending)).code).toBe('closed');
  });

  it.each<readonly [string, string, (world: Scene) => unknown]>([
    ['is cancelled', 'cancelled', ({ client }) => client.cancel()],
    ['is ended by a sign-out', 'signed_out', ({ client }) => client.signOut()],
  ])('when the flow %s is given up, and leaves no tokens behind (FET-07, OUT-02)', async (_, code, end) => {
    const world = await codeUnderWay();
    const ending = end(world);
    expect((await failureOfCall(world.pending)).code).toBe(code);
    await ending;
    expect(world.servers.requestsFor('token').at(-1)?.signal?.aborted).toBe(true);
    world.arrive();
    await settled();
    expect(await world.client.accessToken()).toBeUndefined();
    expect((await world.another().restore()).step).toBe('unauthorized');
  });
});
