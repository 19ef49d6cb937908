import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { keychainVault } from '../../src/keychain.ts';
import type { Store } from '../../src/stores/contract.ts';
import { collectLeaks } from '../fixtures/scripted/secrets.ts';
import { memoryKeychain } from '../helpers/memory-keychain.ts';
import { secretService } from '../helpers/secret-service.ts';
import { surroundings } from './signed-in.ts';

const running = secretService();

async function withKeychain(context: TestContext) {
  const { env } = await running(context);
  Object.assign(process.env, env);
  return surroundings();
}

async function textsIn(directory: string): Promise<string> {
  const names = await readdir(directory);
  return (await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')))).join('\n');
}

describe('authchart --keychain', () => {
  it('seals what it stores, and later commands need not be told (STO-02, STO-03)', async (context) => {
    const { command, servers, store } = await withKeychain(context);
    expect((await command('login', ['--keychain'])).exitCode).toBe(0);
    expect(servers.markers.secrets.size).toBeGreaterThan(3);
    expect(collectLeaks(await textsIn(store), servers.markers)).toEqual([]);
    const { exitCode, stdout } = await command('token');
    expect(exitCode).toBe(0);
    expect(servers.markers.secrets.has(stdout.trim())).toBe(true);
    expect((await command('logout')).exitCode).toBe(0);
    expect((await command('status')).exitCode).toBe(3);
  });

  it('says what to do when the key has gone, and a sign-out makes room for a new login (STO-03)', async (context) => {
    const { command, servers } = await withKeychain(context);
    await command('login', ['--keychain']);
    const { AsyncEntry, findCredentialsAsync } = await import('@napi-rs/keyring');
    for (const { account } of await findCredentialsAsync('authchart')) await new AsyncEntry('authchart', account).deletePassword();
    const { exitCode, stderr } = await command('token');
    expect(exitCode).toBe(7);
    expect(stderr).toContain('vault_key_unknown');
    expect((await command('logout')).exitCode).toBe(0);
    expect((await command('login')).exitCode).toBe(0);
    expect(servers.violations).toEqual([]);
  });

  it('without a keychain ends with 7, before anyone is asked to sign in (STO-02)', async () => {
    const { command, servers, approving } = await surroundings();
    const keychain = memoryKeychain();
    keychain.before = () => Promise.reject(new Error('DBus error'));
    const parts = { ...approving, createVault: (store: Store) => keychainVault({ store, keychain }) };
    const { exitCode, stderr } = await command('login', ['--keychain'], { parts });
    expect(exitCode).toBe(7);
    expect(stderr).toContain('keychain_unavailable');
    expect(servers.requests).toEqual([]);
  });
});
