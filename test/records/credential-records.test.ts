import { describe, expect, it } from 'vitest';
import { type CredentialFacts, createCredentialRecords } from '../../src/records/credential-records.ts';
import { recordKey } from '../../src/records/keys.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { atEveryOperation, FAILURE_MODES } from '../helpers/failing-store.ts';
import { watchedStore } from '../helpers/watched-store.ts';

const resource = 'https://mcp.example.com/mcp';
const issuer = 'https://login.example.com';
const other = 'https://login.example.com/other';

const facts = (n: number, of = issuer): Omit<CredentialFacts, 'version'> => ({
  issuer: of,
  clientId: 'client',
  scopes: ['read'],
  requestedScopes: ['read', 'write'],
  tokenType: 'Bearer',
  expiresAtEpochSeconds: 1_900_000_000,
  refreshable: true,
  obtainedAtEpochSeconds: n,
});
const tokens = (n: number) => ({ accessToken: `access ${n}`, refreshToken: `refresh ${n}` });

function records(stores = { store: memoryStore(), vault: memoryStore() }, account = 'default') {
  return createCredentialRecords({ ...stores, resource, account });
}

describe('credential records', () => {
  it('return what was saved, and the issuer it is bound to', async () => {
    const credentials = records();
    expect(await credentials.read(issuer)).toBeUndefined();
    expect(await credentials.boundIssuer()).toBeUndefined();
    const saved = await credentials.save(facts(1), tokens(1));
    expect(saved).toEqual({ saved: true, facts: { ...facts(1), version: expect.any(String) } });
    expect(await credentials.read(issuer)).toEqual({ facts: saved.facts, tokens: tokens(1) });
    expect(await credentials.boundIssuer()).toBe(issuer);
  });

  it('change their version with every save', async () => {
    const credentials = records();
    const first = await credentials.save(facts(1), tokens(1));
    const second = await credentials.save(facts(1), tokens(1));
    expect(second.facts?.version).not.toBe(first.facts?.version);
  });

  it('keep a credential that another process stored meanwhile, and return it (RFR-02)', async () => {
    const stores = { store: memoryStore(), vault: memoryStore() };
    const [here, there] = [records(stores), records(stores)];
    const first = await here.save(facts(1), tokens(1), { basedOn: null });
    const theirs = await there.save(facts(2), tokens(2), { basedOn: first.facts?.version });
    expect(await here.save(facts(3), tokens(3), { basedOn: first.facts?.version })).toEqual({ saved: false, facts: theirs.facts });
    expect(await here.save(facts(3), tokens(3), { basedOn: null })).toEqual({ saved: false, facts: theirs.facts });
    expect(await here.read(issuer)).toEqual({ facts: theirs.facts, tokens: tokens(2) });
  });

  it('do not come back after a sign-out for a refresh that was under way', async () => {
    const credentials = records();
    const first = await credentials.save(facts(1), tokens(1));
    await credentials.forget(issuer);
    expect(await credentials.save(facts(2), tokens(2), { basedOn: first.facts?.version })).toEqual({ saved: false, facts: undefined });
    expect(await credentials.read(issuer)).toBeUndefined();
  });

  it('leave one pair in the vault after any number of saves, and none after forgetting', async () => {
    const [store, vault] = [watchedStore(), watchedStore()];
    const credentials = records({ store: store.store, vault: vault.store });
    const first = await credentials.save(facts(1), tokens(1));
    for (let n = 2; n < 6; n += 1) await credentials.save(facts(n), tokens(n));
    await credentials.save(facts(9), tokens(9), { basedOn: first.facts?.version });
    expect(Object.values(await vault.contents())).toEqual([{ format: 1, ...tokens(5) }]);
    await credentials.forget(issuer);
    expect([await vault.contents(), await store.contents()]).toEqual([{}, {}]);
  });

  it('give a reader a whole pair at any moment of a rotation (RFR-02)', async () => {
    const stores = { store: memoryStore(), vault: memoryStore() };
    const [writer, reader] = [records(stores), records(stores)];
    await writer.save(facts(0), tokens(0));
    let rotating = true;
    const rotation = (async () => {
      for (let n = 1; n <= 200; n += 1) await writer.save(facts(n), tokens(n));
      rotating = false;
    })();
    let reads = 0;
    while (rotating) {
      const read = await reader.read(issuer);
      expect(read?.tokens).toEqual(tokens(read?.facts.obtainedAtEpochSeconds ?? -1));
      reads += 1;
    }
    await rotation;
    expect(reads).toBeGreaterThan(50);
  });

  it.each(FAILURE_MODES)('hold the old pair or the new one, whole, wherever the store fails: %s (RFR-02)', async (mode) => {
    const tried = await atEveryOperation(mode, async (failing) => {
      const stores = { store: memoryStore(), vault: memoryStore() };
      const healthy = records(stores);
      const before = await healthy.save(facts(1), tokens(1));
      const outcome = await records(failing(stores))
        .save(facts(2), tokens(2), { basedOn: before.facts?.version })
        .catch(() => undefined);

      const held = await healthy.read(issuer);
      expect([tokens(1), tokens(2)]).toContainEqual(held?.tokens);
      expect(held?.tokens).toEqual(tokens(held?.facts.obtainedAtEpochSeconds ?? -1));
      if (outcome?.saved) expect(held?.tokens).toEqual(tokens(2));

      // Trying again ends with the new pair, by storing it or by finding it stored.
      const again = await healthy.save(facts(2), tokens(2), { basedOn: before.facts?.version });
      expect(again.facts?.obtainedAtEpochSeconds).toBe(2);
      expect((await healthy.read(issuer))?.tokens).toEqual(tokens(2));
    });
    expect(tried).toBeGreaterThan(3);
  });

  it.each(FAILURE_MODES)('can be forgotten again, wherever the store failed the first time: %s', async (mode) => {
    await atEveryOperation(mode, async (failing) => {
      const [store, vault] = [watchedStore(), watchedStore()];
      const stores = { store: store.store, vault: vault.store };
      await records(stores).save(facts(1), tokens(1));
      await records(failing(stores))
        .forget(issuer)
        .catch(() => undefined);
      await records(stores).forget(issuer);
      expect([await vault.contents(), await store.contents()]).toEqual([{}, {}]);
    });
  });

  it('forget one version only when asked to, and leave what replaced it (RFR-04)', async () => {
    const credentials = records();
    const first = await credentials.save(facts(1), tokens(1));
    await credentials.save(facts(2), tokens(2));
    await credentials.forget(issuer, { version: first.facts?.version ?? '' });
    expect((await credentials.read(issuer))?.tokens).toEqual(tokens(2));
    expect(await credentials.boundIssuer()).toBe(issuer);
  });

  it('stand under their issuer: another one sees nothing of them, and forgets nothing (ISS-01)', async () => {
    const credentials = records();
    await credentials.save(facts(1), tokens(1));
    expect(await credentials.read(other)).toBeUndefined();
    await credentials.save(facts(2, other), tokens(2));
    expect((await credentials.read(issuer))?.tokens).toEqual(tokens(1));
    expect(await credentials.boundIssuer()).toBe(other);
    await credentials.forget(issuer);
    expect((await credentials.read(other))?.tokens).toEqual(tokens(2));
    expect(await credentials.boundIssuer()).toBe(other);
  });

  it('refuse a record that was moved under another issuer (ISS-01)', async () => {
    const stores = { store: memoryStore(), vault: memoryStore() };
    const credentials = records(stores);
    await credentials.save(facts(1), tokens(1));
    const moved = await stores.store.read(recordKey('credential', resource, 'default', issuer));
    await stores.store.write(recordKey('credential', resource, 'default', other), moved?.value ?? {});
    await expect(credentials.read(other)).rejects.toMatchObject({ failure: { code: 'record_unreadable' } });
  });

  it('whose pointer was bent to tokens of another issuer or resource give none out, and take none along (ISS-01)', async () => {
    const stores = { store: memoryStore(), vault: memoryStore() };
    const credentials = records(stores);
    await credentials.save(facts(1), tokens(1));
    await credentials.save(facts(2, other), tokens(2));
    const elsewhere = createCredentialRecords({ ...stores, resource: 'https://evil.example.com/mcp', account: 'default' });
    const mine = await stores.store.read(recordKey('credential', resource, 'default', issuer));
    // What someone can do who writes the store and does not reach the vault.
    const bent = { ...mine?.value, facts: facts(3, other) };
    await stores.store.write(recordKey('credential', resource, 'default', other), bent);
    await stores.store.write(recordKey('credential', 'https://evil.example.com/mcp', 'default', issuer), mine?.value ?? {});
    await expect(credentials.read(other)).rejects.toMatchObject({ failure: { code: 'record_unreadable' } });
    await expect(elsewhere.read(issuer)).rejects.toMatchObject({ failure: { code: 'record_unreadable' } });

    await credentials.forget(other);
    await elsewhere.save(facts(4), tokens(4));
    expect((await elsewhere.read(issuer))?.tokens).toEqual(tokens(4));
    expect((await credentials.read(issuer))?.tokens).toEqual(tokens(1));
  });

  it('are forgotten with those of every issuer bound before (OUT-01)', async () => {
    const { store, contents } = watchedStore();
    const credentials = records({ store, vault: store });
    await credentials.save(facts(1), tokens(1));
    await credentials.save(facts(2, other), tokens(2));
    await credentials.forget(other);
    expect(await credentials.boundIssuer()).toBeUndefined();
    await credentials.save(facts(3, other), tokens(3));
    const issuers: string[] = [];
    const note = async (one: string): Promise<void> => void issuers.push(one);
    await credentials.forgetAll(undefined, note);
    expect(await contents()).toEqual({});
    await credentials.forgetAll('https://third.example.com', note);
    expect(issuers).toEqual([issuer, other, 'https://third.example.com']);
  });

  it('of several accounts live side by side and never mix (STO-04)', async () => {
    const stores = { store: memoryStore(), vault: memoryStore() };
    const [work, home] = [records(stores, 'work'), records(stores, 'home')];
    await work.save(facts(1), tokens(1));
    expect(await home.read(issuer)).toBeUndefined();
    await home.save(facts(2), tokens(2));
    await work.forget(issuer);
    expect((await home.read(issuer))?.tokens).toEqual(tokens(2));
  });

  it('say so when the vault has lost their tokens', async () => {
    const stores = { store: memoryStore(), vault: memoryStore() };
    await records(stores).save(facts(1), tokens(1));
    const emptied = records({ ...stores, vault: memoryStore() });
    await expect(emptied.read(issuer)).rejects.toMatchObject({ failure: { code: 'credentials_missing', details: { issuer } } });
    expect((await emptied.save(facts(2), tokens(2))).saved).toBe(true);
    expect((await emptied.read(issuer))?.tokens).toEqual(tokens(2));
  });

  it.each([
    ['of a newer format', { format: 2, anything: true }],
    ['edited by hand', { format: 1, secret: 5, facts: {} }],
    ['of something else', { list: [] }],
  ])('leave a record %s untouched and report it (STO-05)', async (_what, value) => {
    const stores = { store: memoryStore(), vault: memoryStore() };
    const key = recordKey('credential', resource, 'default', issuer);
    await stores.store.write(key, value);
    const credentials = records(stores);
    const refusal = { failure: { code: 'record_unreadable' } };
    await expect(credentials.read(issuer)).rejects.toMatchObject(refusal);
    await expect(credentials.save(facts(1), tokens(1))).rejects.toMatchObject(refusal);
    expect((await stores.store.read(key))?.value).toEqual(value);
    await credentials.forget(issuer);
    expect(await credentials.read(issuer)).toBeUndefined();
  });
});
