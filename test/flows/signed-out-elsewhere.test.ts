/** A sign-out in one process while another is obtaining tokens: at whichever moment, none are kept. */
import { expect, it } from 'vitest';
import { recordKey } from '../../src/records/keys.ts';
import { holdWrite } from '../helpers/held-write.ts';
import { CALL, type Scene, scene } from '../helpers/scripted-client.ts';
import { settled } from '../helpers/simulated-clock.ts';
import { failureOfCall, untilStep, whileTimePasses } from '../helpers/waiting.ts';

const call = ({ servers }: Scene, client: Scene['client']): Promise<number> =>
  client.fetch(servers.resource.url, CALL).then(({ status }) => status);

async function waiting() {
  const world = scene({ act: () => undefined });
  const first = call(world, world.client);
  first.catch(() => {});
  const { authorizationUrl } = await untilStep(world.client, 'awaiting-user');
  return { ...world, first, authorizationUrl };
}

it.each(['vault/tokens/', 'credential/', 'binding/'])(
  'tokens whose storing has come as far as %s when the account is signed out are forgotten again (OUT-01, OUT-02)',
  async (kind) => {
    const world = await waiting();
    const held = holdWrite(world.store, (key) => key.startsWith(kind));
    world.client.completeAuthorization(await world.servers.approve(world.authorizationUrl)).catch(() => {});
    await held.reached;
    await world.another().signOut();
    held.release();
    expect(await whileTimePasses(world.clock, failureOfCall(world.first))).toMatchObject({ code: 'signed_out' });
    expect(await world.client.accessToken()).toBeUndefined();
    expect(await world.another().accessToken()).toBeUndefined();
  },
);

it('tokens that come when the next login is under way already belong to the session that was ended (OUT-02)', async () => {
  const world = await waiting();
  let answer = (): void => {};
  world.servers.respond(
    'token',
    async (_, proceed) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return proceed();
    },
    { times: 1 },
  );
  world.client.completeAuthorization(await world.servers.approve(world.authorizationUrl)).catch(() => {});
  while (world.servers.requestsFor('token').length === 0) await settled();
  const other = world.another();
  await other.signOut();
  const next = call(world, other);
  // Asleep, with the answer on its way: its lease has run out.
  world.clock.jumpTo(world.clock.now() + 30_000);
  const { authorizationUrl } = await whileTimePasses(world.clock, untilStep(other, 'awaiting-user'));
  answer();
  expect(await whileTimePasses(world.clock, failureOfCall(world.first))).toMatchObject({ code: 'signed_out' });
  // Asked for by the record alone: a call would wait for the next login.
  expect(await world.store.read(recordKey('binding', world.servers.resource.url, 'default'))).toBeUndefined();
  await other.completeAuthorization(await world.servers.approve(authorizationUrl));
  expect(await next).toBe(200);
});
