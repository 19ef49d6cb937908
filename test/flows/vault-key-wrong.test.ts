import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { type SealingKeys, sealed } from '../../src/stores/sealed-store.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { failureOfCall } from '../helpers/waiting.ts';
import { watchedStore } from '../helpers/watched-store.ts';

const keyOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const RIGHT: SealingKeys = { keys: { a: keyOf(1) }, current: 'a' };

async function signedIn() {
  const clock = simulatedClock();
  const vault = watchedStore(memoryStore({ clock }));
  const world = scene({
    clock,
    authorizationServer: { registration: { authMethod: 'client_secret_basic' } },
    client: { vault: sealed(vault.store, RIGHT) },
  });
  await world.client.fetch(world.servers.resource.url, CALL);
  await clock.advance(UNTIL_EXPIRED_MS);
  return { ...world, vault, withKeys: (keys: SealingKeys) => world.another({ vault: sealed(vault.store, keys) }) };
}

describe('a vault opened with other keys than it was sealed with', () => {
  it.each([
    ['vault_key_wrong', { keys: { a: keyOf(2) }, current: 'a' }],
    ['vault_key_unknown', { keys: { b: keyOf(2) }, current: 'b' }],
  ])('is %s however often it is asked: nobody has to sign in, and nothing is replaced (STO-03)', async (code, keys) => {
    const { servers, user, vault, withKeys } = await signedIn();
    const before = await vault.contents();
    const client = withKeys(keys);
    for (let time = 0; time < 3; time += 1) expect((await failureOfCall(client.fetch(servers.resource.url, CALL))).code).toBe(code);
    expect((await failureOfCall(client.authorize())).code).toBe(code);
    expect(user.shown).toHaveLength(1);
    expect(await vault.contents()).toEqual(before);
    expect((await withKeys(RIGHT).fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(user.shown).toHaveLength(1);
    expect(servers.violations).toEqual([]);
  });

  it('lets its user sign out, and in again with the keys there are (STO-03, OUT-01)', async () => {
    const { servers, user, withKeys } = await signedIn();
    const client = withKeys({ keys: { b: keyOf(2) }, current: 'b' });
    await failureOfCall(client.fetch(servers.resource.url, CALL));
    expect((await client.signOut({ forgetRegistration: true })).step).toBe('unauthorized');
    expect((await client.fetch(servers.resource.url, CALL)).status).toBe(200);
    expect(user.shown).toHaveLength(2);
  });

  it('whose entries were put in each other’s place opens neither, and keeps both (STO-03)', async () => {
    const { servers, user, vault, withKeys } = await signedIn();
    const everything = await vault.contents();
    const [tokens = '', secret = ''] = ['vault/tokens/', 'vault/client-secret/'].map((start) =>
      Object.keys(everything).find((key) => key.startsWith(start)),
    );
    expect([tokens, secret]).not.toContain('');
    await vault.store.write(tokens, everything[secret] ?? {});
    await vault.store.write(secret, everything[tokens] ?? {});
    const swapped = await vault.contents();
    const client = withKeys(RIGHT);
    expect((await failureOfCall(client.fetch(servers.resource.url, CALL))).code).toBe('record_unreadable');
    expect(await vault.contents()).toEqual(swapped);
    expect(user.shown).toHaveLength(1);
  });
});
