import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../../src/options.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { breakableStore } from '../helpers/breakable-store.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { signedIn, UNTIL_DUE_MS, UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { whileTimePasses } from '../helpers/waiting.ts';

/** The record that would point to the new tokens, or the vault entry that holds them. */
const FAILING: readonly [string, (key: string) => boolean][] = [
  ['the credential record', (key) => key.startsWith('credential/')],
  ['the vault', (key) => key.startsWith('vault/')],
];

async function stageWithBreakableStore() {
  const clock = simulatedClock();
  const { store, breakWrites } = breakableStore(memoryStore({ clock }));
  const logged: LogRecord[] = [];
  const stage = await signedIn({ clock, store, client: { logger: (record) => void logged.push(record) } });
  return { ...stage, breakWrites, logged };
}

describe('rotated tokens that cannot be stored', () => {
  it.each(FAILING)('because %s cannot be written are used, and reported as such (RFR-07)', async (_, matches) => {
    const stage = await stageWithBreakableStore();
    stage.breakWrites(matches);
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    expect(await stage.call()).toBe(200);
    expect(stage.client.status).toMatchObject({
      step: 'authorized',
      warning: { code: 'tokens_not_stored', retryable: true, details: { issuer: stage.servers.authorizationServer.issuer } },
    });
    expect(stage.logged.filter(({ level }) => level === 'error').map(({ event }) => event)).toEqual(['tokens-not-stored']);
    expect(JSON.stringify([stage.client.status, stage.logged])).not.toContain('SECRET-');
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
  });

  it.each(FAILING)('because %s cannot be written are refreshed from memory, again and again (RFR-07)', async (_, matches) => {
    const stage = await stageWithBreakableStore();
    stage.breakWrites(matches);
    for (let round = 0; round < 3; round += 1) {
      await stage.clock.advance(UNTIL_EXPIRED_MS);
      expect(await stage.call()).toBe(200);
    }
    expect(stage.grants()).toEqual(['refresh_token', 'refresh_token', 'refresh_token']);
    expect(stage.user.shown).toHaveLength(1);
    expect(stage.servers.violations).toEqual([]);
  });

  it('are refreshed from memory also after a 401: the user is not asked (RFR-07)', async () => {
    const stage = await stageWithBreakableStore();
    stage.breakWrites((key) => key.startsWith('credential/'));
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    await stage.call();
    stage.servers.authorizationServer.expireAccessTokens();
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token', 'refresh_token']);
    expect(stage.user.shown).toHaveLength(1);
    expect(stage.servers.violations).toEqual([]);
  });

  it('are stored with the next refresh once the store is mended, and survive the process (RFR-07)', async () => {
    const stage = await stageWithBreakableStore();
    stage.breakWrites((key) => key.startsWith('credential/'));
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    await stage.call();
    stage.breakWrites(undefined);
    await stage.clock.advance(UNTIL_DUE_MS);
    expect(await stage.call()).toBe(200);
    expect(stage.client.status).not.toHaveProperty('warning');
    await stage.client.close();
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    expect((await stage.another().fetch(stage.servers.resource.url, CALL)).status).toBe(200);
    expect(stage.user.shown).toHaveLength(1);
    expect(stage.servers.violations).toEqual([]);
  });

  it('are what a step-up is based on (RFR-07, SCO-04)', async () => {
    const stage = await stageWithBreakableStore();
    stage.breakWrites((key) => key.startsWith('credential/'));
    await stage.clock.advance(UNTIL_EXPIRED_MS);
    await stage.call();
    stage.servers.resource.options.scopesFor = () => ['write'];
    expect(await stage.call()).toBe(200);
    expect(stage.user.shown).toHaveLength(2);
    expect(stage.servers.violations).toEqual([]);
  });
});

describe('the tokens of a login that cannot be stored', () => {
  it('are used and refreshed while the process lives (RFR-07)', async () => {
    const clock = simulatedClock();
    const { store, breakWrites } = breakableStore(memoryStore({ clock }));
    const stage = scene({ clock, store });
    breakWrites((key) => key.startsWith('credential/'));
    expect((await stage.client.fetch(stage.servers.resource.url, CALL)).status).toBe(200);
    expect(stage.client.status).toMatchObject({ step: 'authorized', warning: { code: 'tokens_not_stored' } });
    await clock.advance(UNTIL_EXPIRED_MS);
    expect((await stage.client.fetch(stage.servers.resource.url, CALL)).status).toBe(200);
    stage.servers.authorizationServer.expireAccessTokens();
    expect((await stage.client.fetch(stage.servers.resource.url, CALL)).status).toBe(200);
    expect(stage.user.shown).toHaveLength(1);
    expect(stage.servers.violations).toEqual([]);
  });
});

describe('a store that takes nothing at all', () => {
  it('stops no request while the token lives, and sends no refresh whose outcome could not be kept (RFR-07, RFR-03)', async () => {
    const stage = await stageWithBreakableStore();
    await stage.clock.advance(UNTIL_DUE_MS);
    stage.breakWrites(() => true);
    expect(await stage.call()).toBe(200);
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual([]);
    stage.breakWrites(undefined);
    await stage.clock.advance(10_000);
    expect(await stage.call()).toBe(200);
    expect(stage.grants()).toEqual(['refresh_token']);
    expect(stage.client.status.step).toBe('authorized');
  });
});

describe('tokens that could not be stored when the account is signed out elsewhere', () => {
  it.each([
    ['of a refresh', true],
    ['of a first login', false],
  ])('%s are not stored after it: the next request asks the user (OUT-02, RFR-07)', async (_, isRefresh) => {
    const clock = simulatedClock();
    const { store, breakWrites } = breakableStore(memoryStore({ clock }));
    const stage = scene({ clock, store });
    const call = (): Promise<number> => stage.client.fetch(stage.servers.resource.url, CALL).then(({ status }) => status);
    if (isRefresh) {
      await stage.client.authorize();
      await clock.advance(UNTIL_EXPIRED_MS);
    }
    breakWrites((key) => key.startsWith('credential/'));
    expect(await call()).toBe(200);
    expect(stage.client.status.warning?.code).toBe('tokens_not_stored');
    breakWrites(undefined);
    await stage.another().signOut();
    const shown = stage.user.shown.length;
    await clock.advance(UNTIL_EXPIRED_MS);
    expect(await whileTimePasses(clock, call())).toBe(200);
    expect(stage.user.shown).toHaveLength(shown + 1);
    expect(stage.servers.violations).toEqual([]);
  });
});
