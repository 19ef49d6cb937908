import { describe, expect, it } from 'vitest';
import { createRegistrationRecords, type RegistrationFacts } from '../../src/records/registration-records.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { atEveryOperation, FAILURE_MODES } from '../helpers/failing-store.ts';
import { watchedStore } from '../helpers/watched-store.ts';

const issuer = 'https://login.example.com';
const other = 'https://other.example.com';
const redirectSet = ['http://127.0.0.1/callback', 'http://[::1]/callback'];

const facts = (clientId: string, of = issuer): Omit<RegistrationFacts, 'version' | 'hasSecret'> => ({
  issuer: of,
  clientId,
  source: 'dynamic',
  authMethod: 'client_secret_basic',
  redirectUris: ['http://127.0.0.1:4711/callback'],
  applicationType: 'native',
  secretExpiresAtEpochSeconds: 1_900_000_000,
  registeredAtEpochSeconds: 1_800_000_000,
});

describe('registration records', () => {
  it('return what was saved, with the secret', async () => {
    const registrations = createRegistrationRecords({ store: memoryStore(), vault: memoryStore() });
    expect(await registrations.find(issuer, redirectSet)).toBeUndefined();
    const saved = await registrations.save(facts('c1'), { redirectSet, clientSecret: 's1' });
    expect(saved).toEqual({ ...facts('c1'), hasSecret: true, version: expect.any(String) });
    expect(await registrations.find(issuer, redirectSet)).toEqual({ facts: saved, clientSecret: 's1' });
  });

  it('of public clients have no secret', async () => {
    const registrations = createRegistrationRecords({ store: memoryStore(), vault: memoryStore() });
    const saved = await registrations.save({ ...facts('c1'), authMethod: 'none' }, { redirectSet });
    expect(await registrations.find(issuer, redirectSet)).toEqual({ facts: { ...saved, hasSecret: false } });
  });

  it('belong to a set of redirect URIs, in any order', async () => {
    const registrations = createRegistrationRecords({ store: memoryStore(), vault: memoryStore() });
    await registrations.save(facts('c1'), { redirectSet });
    expect((await registrations.find(issuer, redirectSet.toReversed()))?.facts.clientId).toBe('c1');
    expect(await registrations.find(issuer, redirectSet.slice(0, 1))).toBeUndefined();
    expect(await registrations.find(issuer, [...redirectSet, 'https://app.example.com/callback'])).toBeUndefined();
  });

  it('stand under their issuer: another one never gets them (ISS-01)', async () => {
    const registrations = createRegistrationRecords({ store: memoryStore(), vault: memoryStore() });
    await registrations.save(facts('c1'), { redirectSet, clientSecret: 's1' });
    expect(await registrations.find(other, redirectSet)).toBeUndefined();
    await registrations.save(facts('c2', other), { redirectSet, clientSecret: 's2' });
    await registrations.forget(other, redirectSet);
    expect(await registrations.find(issuer, redirectSet)).toMatchObject({ facts: { clientId: 'c1' }, clientSecret: 's1' });
  });

  it('refuse a record that was moved under another issuer (ISS-01)', async () => {
    const { store, contents } = watchedStore();
    const registrations = createRegistrationRecords({ store, vault: memoryStore() });
    await registrations.save(facts('c1'), { redirectSet });
    await registrations.save(facts('c2', other), { redirectSet });
    const keys = Object.keys(await contents());
    const [from = '', to = ''] = [keys.find((key) => key.includes('login')), keys.find((key) => key.includes('other'))];
    await store.write(to, (await store.read(from))?.value ?? {});
    await expect(registrations.find(other, redirectSet)).rejects.toMatchObject({ failure: { code: 'record_unreadable' } });
  });

  it('whose pointer was bent to the secret of another issuer are refused (ISS-01)', async () => {
    const { store, contents } = watchedStore();
    const registrations = createRegistrationRecords({ store, vault: memoryStore() });
    await registrations.save(facts('c1'), { redirectSet, clientSecret: 's1' });
    await registrations.save(facts('c2', other), { redirectSet, clientSecret: 's2' });
    const keys = Object.keys(await contents());
    const [from = '', to = ''] = [keys.find((key) => key.includes('login')), keys.find((key) => key.includes('other'))];
    const secret = (await store.read(from))?.value['secret'] ?? null;
    await store.write(to, { ...(await store.read(to))?.value, secret });
    await expect(registrations.find(other, redirectSet)).rejects.toMatchObject({ failure: { code: 'record_unreadable' } });
    await registrations.forget(other, redirectSet);
    expect(await registrations.find(issuer, redirectSet)).toMatchObject({ clientSecret: 's1' });
  });

  it('keep the registration of whoever was first, and return it', async () => {
    const registrations = createRegistrationRecords({ store: memoryStore(), vault: memoryStore() });
    const saves = await Promise.all(
      ['c1', 'c2', 'c3'].map((clientId) =>
        registrations.save(facts(clientId), { redirectSet, clientSecret: `${clientId} secret`, basedOn: null }),
      ),
    );
    const found = await registrations.find(issuer, redirectSet);
    expect(saves).toEqual(saves.map(() => found?.facts));
    expect(found?.clientSecret).toBe(`${found?.facts.clientId} secret`);
  });

  it('replace what a renewal is based on, also if it was forgotten meanwhile', async () => {
    const registrations = createRegistrationRecords({ store: memoryStore(), vault: memoryStore() });
    const first = await registrations.save(facts('c1'), { redirectSet });
    const second = await registrations.save(facts('c2'), { redirectSet, basedOn: first.version });
    expect(second.clientId).toBe('c2');
    await registrations.forget(issuer, redirectSet);
    expect((await registrations.save(facts('c3'), { redirectSet, basedOn: second.version })).clientId).toBe('c3');
    expect((await registrations.find(issuer, redirectSet))?.facts.clientId).toBe('c3');
  });

  it('are forgotten by client only if it is still that one', async () => {
    const [store, vault] = [watchedStore(), watchedStore()];
    const registrations = createRegistrationRecords({ store: store.store, vault: vault.store });
    await registrations.save(facts('c2'), { redirectSet, clientSecret: 's2' });
    await registrations.forget(issuer, redirectSet, { clientId: 'c1' });
    expect((await registrations.find(issuer, redirectSet))?.clientSecret).toBe('s2');
    await registrations.forget(issuer, redirectSet, { clientId: 'c2' });
    expect([await vault.contents(), await store.contents()]).toEqual([{}, {}]);
  });

  it('count as none when the vault has lost their secret, and can be replaced', async () => {
    const stores = { store: memoryStore(), vault: memoryStore() };
    await createRegistrationRecords(stores).save(facts('c1'), { redirectSet, clientSecret: 's1' });
    const emptied = createRegistrationRecords({ ...stores, vault: memoryStore() });
    expect(await emptied.find(issuer, redirectSet)).toBeUndefined();
    await emptied.save(facts('c2'), { redirectSet, clientSecret: 's2' });
    expect((await emptied.find(issuer, redirectSet))?.clientSecret).toBe('s2');
  });

  it.each(FAILURE_MODES)('hold the old client or the new one with its own secret, wherever the store fails: %s', async (mode) => {
    await atEveryOperation(mode, async (failing) => {
      const stores = { store: memoryStore(), vault: memoryStore() };
      const healthy = createRegistrationRecords(stores);
      await healthy.save(facts('c1'), { redirectSet, clientSecret: 'c1 secret' });
      await createRegistrationRecords(failing(stores))
        .save(facts('c2'), { redirectSet, clientSecret: 'c2 secret' })
        .catch(() => undefined);
      const found = await healthy.find(issuer, redirectSet);
      expect(['c1', 'c2']).toContain(found?.facts.clientId);
      expect(found?.clientSecret).toBe(`${found?.facts.clientId} secret`);
    });
  });
});
