import { describe, expect, it } from 'vitest';
import { createJournal } from '../../src/durable/journal.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { createAttemptRecords } from '../../src/records/attempt-records.ts';
import { createCredentialRecords } from '../../src/records/credential-records.ts';
import { createDiscoveryRecords } from '../../src/records/discovery-records.ts';
import { createRegistrationRecords } from '../../src/records/registration-records.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { watchedStore } from '../helpers/watched-store.ts';

const issuer = 'https://login.example.com';
const resource = 'https://mcp.example.com/mcp';
const planted = ['access-token', 'refresh-token', 'client-secret', 'verifier', 'state', 'code'].map((what) => `planted-${what}`);
const [accessToken = '', refreshToken = '', clientSecret = '', verifier = '', state = '', code = ''] = planted;

describe('records', () => {
  it('outside the vault hold no secret and name none in a key (SEC-01)', async () => {
    const { store, vault } = await everyRecordUsed();
    for (const secret of planted) {
      expect(vault.everything()).toContain(secret);
      expect(store.everything()).not.toContain(secret);
    }
    expect(store.everything()).toContain(issuer);
  });

  it('name no secret in a key of the vault either (SEC-01)', async () => {
    const { vault } = await everyRecordUsed();
    const keys = vault
      .everything()
      .split('\n')
      .map((given) => (JSON.parse(given) as [string])[0]);
    expect(keys.length).toBeGreaterThan(5);
    for (const secret of planted) expect(keys.join('\n')).not.toContain(secret);
  });

  it('that are unreadable are reported without what they hold (SEC-01)', async () => {
    const { store, vault } = await everyRecordUsed();
    for (const [key, value] of Object.entries(await vault.contents())) {
      await vault.store.write(key, { format: 1, spoilt: JSON.stringify(value), accessToken: [accessToken] });
    }
    const credentials = createCredentialRecords({ store: store.store, vault: vault.store, resource, account: 'default' });
    const refusal = await credentials.read(issuer).catch((thrown: Error & { failure: unknown }) => thrown);
    expect(refusal).toMatchObject({ failure: { code: 'record_unreadable' } });
    for (const secret of planted) expect(`${refusal} ${JSON.stringify(refusal)} ${(refusal as Error).stack}`).not.toContain(secret);
  });
});

async function everyRecordUsed() {
  const clock = simulatedClock();
  const [watched, watchedVault] = [watchedStore(memoryStore({ clock })), watchedStore(memoryStore({ clock }))];
  const [store, vault] = [watched.store, watchedVault.store];
  const registrations = createRegistrationRecords({ store, vault });
  const redirectSet = ['http://127.0.0.1/callback'];
  const registered = {
    issuer,
    clientId: 'client',
    source: 'dynamic',
    authMethod: 'client_secret_post',
    redirectUris: redirectSet,
    registeredAtEpochSeconds: 1,
  } as const;
  await registrations.save(registered, { redirectSet, clientSecret });
  await registrations.find(issuer, redirectSet);

  const attempts = createAttemptRecords({ store, vault, clock });
  for (const attemptId of ['one', 'two']) {
    const own = { verifier, state: `${state}-${attemptId}` };
    await attempts.open(attemptId, own, { flowKey: 'flow', deadlineEpochMs: clock.now() + 1_000, boundTo: 'digest' });
    await attempts.acceptCallback(own.state, `http://127.0.0.1/callback?code=${code}&state=${own.state}`);
    await attempts.findByState(own.state);
  }
  await attempts.takeCallback('one');
  await attempts.close('one');

  const credentials = createCredentialRecords({ store, vault, resource, account: 'default' });
  const issued = {
    issuer,
    clientId: 'client',
    scopes: [],
    requestedScopes: [],
    tokenType: 'Bearer',
    refreshable: true,
    obtainedAtEpochSeconds: 1,
  } as const;
  for (let n = 0; n < 2; n += 1) await credentials.save(issued, { accessToken, refreshToken });

  const discoveries = createDiscoveryRecords({ store, clock, limits: DEFAULT_LIMITS });
  await discoveries.saveServer(issuer, { metadata: { issuer } });
  const journal = createJournal({ store, key: 'flow', clock, report: () => undefined });
  journal.record('awaitingUser', { grant: { attemptId: 'two' } });
  await journal.flushed();
  return { store: watched, vault: watchedVault };
}
