/** A process that is killed just after the tokens of a login were stored: they belong to the account all the same. */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { mortalProcess } from '../helpers/mortal-process.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { settled, simulatedClock } from '../helpers/simulated-clock.ts';
import { whileTimePasses } from '../helpers/waiting.ts';
import { watchedStore } from '../helpers/watched-store.ts';

async function killed() {
  const clock = simulatedClock();
  const { store, contents } = watchedStore(memoryStore({ clock }));
  const world = scene({ clock, store });
  let isStored = false;
  const process = mortalProcess({ store: world.store, fetch: world.servers.fetch }, (dealing) => {
    const dies = isStored;
    isStored ||= dealing.startsWith('write credential/');
    return dies;
  });
  const dying = world.another({ store: process.store, fetch: process.fetch });
  dying.fetch(world.servers.resource.url, CALL).catch(() => {});
  while (!process.isDead) await settled();
  const kept = async () => Object.keys(await contents()).filter((key) => /^(credential|vault\/tokens)\//.test(key));
  expect(await kept()).toHaveLength(2);
  return { ...world, kept };
}

describe('a login whose process was killed when its tokens had been stored', () => {
  it('is there for the next process: nobody is asked again (RES-02)', async () => {
    const world = await killed();
    const call = world.another().fetch(world.servers.resource.url, CALL);
    expect((await whileTimePasses(world.clock, call)).status).toBe(200);
    expect(world.user.shown).toHaveLength(1);
    expect(world.servers.requestsFor('token')).toHaveLength(1);
  });

  it('is ended by the next sign-out: no token stays behind (OUT-01)', async () => {
    const world = await killed();
    await whileTimePasses(world.clock, world.another().signOut());
    expect(await world.kept()).toEqual([]);
  });
});
