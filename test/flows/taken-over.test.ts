/** Holders of a login that cannot go on with it, and do not know or do not say so. */
import { expect, it } from 'vitest';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { settled, simulatedClock } from '../helpers/simulated-clock.ts';
import { failureOfCall, untilStep, whileTimePasses } from '../helpers/waiting.ts';

const call = ({ servers }: Scene, client: Scene['client']): Promise<number> =>
  client.fetch(servers.resource.url, CALL).then(({ status }) => status);

it('a process that wakes by the callback leaves the attempt to the one that has taken it over (RES-06, RES-08)', async () => {
  const world = scene({ act: () => undefined });
  const { watch: _, ...silent } = world.store;
  // Its time stands still: nothing has told it that its lease has run out.
  const asleep = world.another({ clock: simulatedClock(), store: silent });
  call(world, asleep).catch(() => {});
  const { authorizationUrl } = await untilStep(asleep, 'awaiting-user');
  const pending = call(world, world.client);
  await whileTimePasses(world.clock, untilStep(world.client, 'awaiting-user'));
  const callback = await world.servers.approve(authorizationUrl);
  expect(await failureOfCall(asleep.completeAuthorization(callback))).toMatchObject({ code: 'flow_taken_over' });
  await asleep.close();
  expect(await whileTimePasses(world.clock, pending)).toBe(200);
  expect(world.servers.violations).toEqual([]);
});

/** One process whose user agent takes for ever to present the page, and one that follows it. */
async function hanging() {
  const world = scene({ act: () => undefined });
  const present = (): Promise<void> => new Promise(() => {});
  const holder = world.another({ userAgent: { open: async (request) => ({ ...(await world.user.open(request)), present }) } });
  const follower = world.another();
  await follower.restore();
  const first = call(world, holder);
  const { authorizationUrl } = await untilStep(holder, 'awaiting-user');
  const second = call(world, follower);
  const pending = [first, second];
  for (const one of pending) one.catch(() => {});
  await whileTimePasses(world.clock, untilStep(follower, 'awaiting-other'));
  return { ...world, holder, follower, pending, authorizationUrl };
}

it('a user agent that never answers keeps no callback waiting that another process has taken (RES-06)', async () => {
  const world = await hanging();
  const completing = world.follower.completeAuthorization(await world.servers.approve(world.authorizationUrl));
  await settled();
  expect(await whileTimePasses(world.clock, Promise.all([completing, ...world.pending]))).toMatchObject([{ step: 'authorized' }, 200, 200]);
});

it('a user agent that never answers keeps nobody waiting beyond the deadline of the user (AUT-07)', async () => {
  const world = await hanging();
  const failures = Promise.all(world.pending.map(failureOfCall));
  await world.clock.advance(11 * 60_000);
  expect(await failures).toMatchObject([{ code: 'authorization_expired' }, { code: 'authorization_expired' }]);
});

it.each(['invalid_grant', 'invalid_client'])(
  'a process whose code is refused with %s after its lease has run out asks nobody beside the one that goes on: it follows (AUT-09, RES-08)',
  async (error) => {
    const world = scene({ act: () => undefined });
    let answer = (): void => {};
    const refused = async (): Promise<Response> => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return Response.json({ error }, { status: error === 'invalid_grant' ? 400 : 401 });
    };
    world.servers.respond('token', refused);
    const asleep = world.another();
    const first = call(world, asleep);
    first.catch(() => {});
    const { authorizationUrl } = await untilStep(asleep, 'awaiting-user');
    asleep.completeAuthorization(await world.servers.approve(authorizationUrl)).catch(() => {});
    while (world.servers.requestsFor('token').length === 0) await settled();
    world.clock.jumpTo(world.clock.now() + 30_000);
    const second = call(world, world.client);
    const shown = await whileTimePasses(world.clock, untilStep(world.client, 'awaiting-user'));
    answer();
    const followed = await whileTimePasses(world.clock, untilStep(asleep, 'awaiting-other'));
    expect(followed).toMatchObject({ authorizationUrl: shown.authorizationUrl });
    await world.client.completeAuthorization(await world.servers.approve(shown.authorizationUrl));
    expect(await whileTimePasses(world.clock, Promise.all([first, second]))).toEqual([200, 200]);
    expect(world.user.shown).toEqual([authorizationUrl, shown.authorizationUrl]);
    expect(world.servers.violations).toEqual([]);
  },
);
