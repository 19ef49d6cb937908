/** A login that is cancelled everywhere ends where it is under way, whatever the process that cancels it is at. */
import { describe, expect, it } from 'vitest';
import type { RequestPurpose } from '../fixtures/scripted/recording.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { failureOfCall, settled, untilStep, whileTimePasses } from '../helpers/waiting.ts';

type Client = Scene['client'];

const call = ({ servers }: Scene, client: Client, path = ''): Promise<number> =>
  client.fetch(`${servers.resource.url}${path}`, CALL).then(({ status }) => status);

/** The account is signed in, and one process shows the page of a step-up. */
async function askedForMore() {
  const world = scene({
    resource: { scopesFor: ({ url }) => url.pathname.split('/').slice(2) },
    act: (servers, url) => (url.includes('write') ? undefined : servers.approve(url)),
  });
  await call(world, world.client);
  const pending = call(world, world.client, '/write');
  pending.catch(() => {});
  const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
  await settled();
  return { ...world, pending, authorizationUrl };
}

const holdAnswer = ({ servers }: Scene, purpose: RequestPurpose): void =>
  void servers.respond(purpose, () => new Promise<Response>(() => {}), { times: 1 });

const STEPS: readonly (readonly ['discovering' | 'refreshing' | 'stepping-up', (world: Scene) => Client])[] = [
  [
    'discovering',
    (world) => {
      holdAnswer(world, 'resource-metadata');
      const other = world.another();
      call(world, other, '/write').catch(() => {});
      return other;
    },
  ],
  [
    'refreshing',
    (world) => {
      holdAnswer(world, 'token');
      world.servers.authorizationServer.expireAccessTokens();
      const other = world.another();
      call(world, other).catch(() => {});
      return other;
    },
  ],
  [
    'stepping-up',
    (world) => {
      const other = world.another({ confirmStepUp: () => new Promise<boolean>(() => {}) });
      call(world, other, '/write').catch(() => {});
      return other;
    },
  ],
];

describe('cancelled everywhere', () => {
  it.each(STEPS)(
    'while this process is %s, the login of another ends, too: its page is worth nothing then (FET-07, AUT-05)',
    async (step, begin) => {
      const world = await askedForMore();
      const other = begin(world);
      await untilStep(other, step);
      other.cancel({ everywhere: true });
      expect(other.status.step).toBe('cancelled');
      expect(await whileTimePasses(world.clock, failureOfCall(world.pending))).toMatchObject({ code: 'cancelled' });
      const late = world.another().completeAuthorization(await world.servers.approve(world.authorizationUrl));
      expect(await failureOfCall(late)).toMatchObject({ code: 'callback_not_expected' });
    },
  );

  it('by the process that has the login, it ends for those who follow, and for nobody who comes after (FET-07)', async () => {
    const world = await askedForMore();
    const other = world.another();
    const followed = call(world, other, '/write');
    followed.catch(() => {});
    await untilStep(other, 'awaiting-other');
    world.client.cancel({ everywhere: true });
    expect(await failureOfCall(world.pending)).toMatchObject({ code: 'cancelled' });
    expect(await whileTimePasses(world.clock, failureOfCall(followed))).toMatchObject({ code: 'cancelled' });
    const again = call(world, other, '/write');
    const { authorizationUrl } = await whileTimePasses(world.clock, untilStep(other, 'awaiting-user'));
    await world.clock.advance(5_000);
    await other.completeAuthorization(await world.servers.approve(authorizationUrl));
    expect(await again).toBe(200);
    expect(world.servers.violations).toEqual([]);
  });
});
