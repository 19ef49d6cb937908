/** Tokens that the store did not take are in the memory of one process: what becomes of them when that is closed in good order (RFR-07). */
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { breakableStore } from '../helpers/breakable-store.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { signedIn, UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

const isCredential = (key: string): boolean => key.startsWith('credential/');

function breakable() {
  const clock = simulatedClock();
  return { clock, ...breakableStore(memoryStore({ clock })) };
}

describe('tokens that could not be stored', () => {
  it('when they were refreshed are stored as the client is closed: the next process goes on with them (RFR-07, RFR-02)', async () => {
    const { clock, store, breakWrites } = breakable();
    const stage = await signedIn({ clock, store });
    breakWrites(isCredential);
    await clock.advance(UNTIL_EXPIRED_MS);
    expect(await stage.call()).toBe(200);
    breakWrites(undefined);
    await stage.client.close();
    await clock.advance(UNTIL_EXPIRED_MS);
    expect((await stage.another().fetch(stage.servers.resource.url, CALL)).status).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token', 'refresh_token']);
    expect(stage.user.shown).toHaveLength(1);
    expect(stage.servers.violations).toEqual([]);
  });

  it('when the user logged in are stored as the client is closed: nobody is asked again (RFR-07)', async () => {
    const { clock, store, breakWrites } = breakable();
    const world = scene({ clock, store });
    breakWrites(isCredential);
    await world.client.authorize();
    breakWrites(undefined);
    await world.client.close();
    expect((await world.another().fetch(world.servers.resource.url, CALL)).status).toBe(200);
    expect(world.user.shown).toHaveLength(1);
  });

  it('are not stored over a login that came after them (RFR-07, RFR-04)', async () => {
    const { clock, store, breakWrites } = breakable();
    const world = scene({ clock, store });
    breakWrites(isCredential);
    await world.client.authorize();
    breakWrites(undefined);
    const other = world.another();
    await other.authorize();
    const theirs = await other.accessToken();
    await world.client.close();
    expect(await world.another().accessToken()).toEqual(theirs);
  });

  it('are not stored after the account was signed out (RFR-07, OUT-01)', async () => {
    const { clock, store, breakWrites } = breakable();
    const world = scene({ clock, store });
    breakWrites(isCredential);
    await world.client.authorize();
    breakWrites(undefined);
    await world.another().signOut();
    await world.client.close();
    expect(await world.another().accessToken()).toBeUndefined();
  });

  it('keep nobody from closing while the store is down (RFR-07)', async () => {
    const { clock, store, breakWrites } = breakable();
    const world = scene({ clock, store });
    breakWrites(isCredential);
    await world.client.authorize();
    await world.client.close();
    expect((await world.another().restore()).step).toBe('unauthorized');
  });
});

describe('a refresh', () => {
  it('is not sent where the vault could not take its tokens, and is once it can (RES-03, RFR-07)', async () => {
    const clock = simulatedClock();
    const vault = breakableStore(memoryStore({ clock }));
    const stage = await signedIn({ clock, client: { vault: vault.store } });
    await clock.advance(UNTIL_EXPIRED_MS);
    vault.breakWrites(() => true);
    await expect(stage.call()).rejects.toMatchObject({ code: 'store_failed' });
    expect(stage.grants()).toEqual([]);
    vault.breakWrites(undefined);
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(stage.user.shown).toHaveLength(1);
  });
});
