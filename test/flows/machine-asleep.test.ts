/** A whole machine is suspended while its user is away, longer than leases and the user's deadline last: all its timers are late at once. */
import { describe, expect, it } from 'vitest';
import { createAttemptRecords } from '../../src/records/attempt-records.ts';
import { mortalProcess } from '../helpers/mortal-process.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { settled } from '../helpers/simulated-clock.ts';
import { failureOfCall, untilStep, whileTimePasses } from '../helpers/waiting.ts';

const MINUTE_MS = 60_000;

const call = ({ servers }: Scene, client: Scene['client']): Promise<number> =>
  client.fetch(servers.resource.url, CALL).then(({ status }) => status);

async function sleep({ clock }: Scene): Promise<void> {
  await settled();
  clock.jumpTo(clock.now() + 20 * MINUTE_MS);
  await clock.advance(10_000);
}

/** One process shows the page; another has read the store before, and may follow it. */
async function waiting() {
  const world = scene({ act: () => undefined });
  const process = mortalProcess({ store: world.store, fetch: world.servers.fetch }, () => false);
  const holder = world.another({ store: process.store, fetch: process.fetch });
  await world.client.restore();
  const first = call(world, holder);
  first.catch(() => {});
  const { authorizationUrl } = await untilStep(holder, 'awaiting-user');
  return { ...world, holder, first, authorizationUrl, follower: world.client, kill: () => process.kill() };
}

async function following<Result>(follower: Scene['client'], request: Promise<Result>) {
  request.catch(() => {});
  await untilStep(follower, 'awaiting-other');
  return { request };
}

describe('a login whose user did not come back while the machine was suspended', () => {
  it('has expired, and opens no page that nobody has asked for (AUT-07, RES-05)', async () => {
    const world = await waiting();
    await sleep(world);
    expect(world.user.shown).toEqual([world.authorizationUrl]);
    expect(world.holder.status).toMatchObject({ step: 'failed' });
    expect(await failureOfCall(world.first)).toMatchObject({ code: 'authorization_expired', phase: 'authorization' });
    expect(world.user.isOpen).toBe(false);
  });

  it('has expired for the processes that followed it, too (AUT-07, RES-05)', async () => {
    const world = await waiting();
    const { request: second } = await following(world.follower, call(world, world.follower));
    await sleep(world);
    expect(world.user.shown).toEqual([world.authorizationUrl]);
    const expired = { code: 'authorization_expired' };
    expect([await failureOfCall(world.first), await failureOfCall(second)]).toMatchObject([expired, expired]);
  });

  it('has expired for those who followed a process that was killed (AUT-07, RES-05)', async () => {
    const world = await waiting();
    const { request: second } = await following(world.follower, call(world, world.follower));
    world.kill();
    await sleep(world);
    expect(world.user.shown).toEqual([world.authorizationUrl]);
    expect(await failureOfCall(second)).toMatchObject({ code: 'authorization_expired' });
    // Whoever asks now is not answered by what was before.
    const again = call(world, world.follower);
    const asked = await untilStep(world.follower, 'awaiting-user');
    await world.follower.completeAuthorization(await world.servers.approve(asked.authorizationUrl));
    expect(await again).toBe(200);
  });

  it('was for other scopes than those who followed it need: they ask by themselves (AUT-07, SCO-04)', async () => {
    const world = await waiting();
    const { follower } = world;
    const { request: second } = await following(follower, follower.authorize({ scopes: ['write'] }));
    world.kill();
    await sleep(world);
    const asked = await whileTimePasses(world.clock, untilStep(follower, 'awaiting-user'));
    expect(new URL(asked.authorizationUrl).searchParams.get('scope')).toBe('write');
    await follower.completeAuthorization(await world.servers.approve(asked.authorizationUrl));
    expect(await second).toMatchObject({ step: 'authorized' });
  });
});

it('a login whose user came back to another machine in time is completed by the one that was suspended (RES-06, AUT-07)', async () => {
  const world = await waiting();
  const callbackUrl = await world.servers.approve(world.authorizationUrl);
  const records = createAttemptRecords({ store: world.store, vault: world.store, clock: world.clock });
  world.servers.respond('token', async (_, proceed) => {
    world.clock.jumpTo(world.clock.now() - 20 * MINUTE_MS);
    const answer = await proceed();
    world.clock.jumpTo(world.clock.now() + 20 * MINUTE_MS);
    return answer;
  });
  await records.acceptCallback(new URL(callbackUrl).searchParams.get('state') ?? '', callbackUrl);
  await sleep(world);
  expect(await whileTimePasses(world.clock, world.first)).toBe(200);
  expect(world.user.shown).toEqual([world.authorizationUrl]);
});
