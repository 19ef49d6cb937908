/** The vault with the keychain that Linux really has; the others are reached by the same calls of the same library. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it, type TestContext } from 'vitest';
import { keychainVault } from '../../src/keychain.ts';
import { fileStore } from '../../src/stores/file-store.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { storeContract } from '../../src/stores/store-contract.ts';
import { inProcesses } from '../helpers/processes.ts';
import { secretService } from '../helpers/secret-service.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const program = fileURLToPath(new URL('./keychain-process.ts', import.meta.url));
const SERVICE = 'authchart test';
const running = secretService();

/** From now on this process reaches it, too. */
async function reached(context: TestContext) {
  const service = await running(context);
  Object.assign(process.env, service.env);
  return service;
}

async function keysInKeychain(): Promise<readonly string[]> {
  const { findCredentialsAsync } = await import('@napi-rs/keyring');
  return (await findCredentialsAsync(SERVICE)).map(({ account }) => account);
}

async function forgetKeys(): Promise<void> {
  const { AsyncEntry } = await import('@napi-rs/keyring');
  for (const name of await keysInKeychain()) await new AsyncEntry(SERVICE, name).deletePassword();
}

describe('a vault with its key in a real Secret Service', () => {
  for (const { title, run } of storeContract) {
    it(`${title} (STO-01, STO-02)`, async (context) => {
      await reached(context);
      const clock = simulatedClock();
      const sealed = memoryStore({ clock });
      const open = () => keychainVault({ store: sealed, service: SERVICE });
      const [store, second] = [await open(), await open()];
      await run(() => ({ store, second, advance: clock.advance }));
    });
  }

  it('has one key for processes that make it at once, and each opens what the others sealed (STO-02)', async (context) => {
    const { env } = await reached(context);
    await forgetKeys();
    const directory = await temporaryDirectory();
    const written = await inProcesses(program, ['seal', directory], { env });
    const vault = await keychainVault({ store: fileStore({ directory }), service: SERVICE });
    for (const pid of written) expect((await vault.read(`secret/${String(pid)}`))?.value).toEqual({ pid });
    expect(await keysInKeychain()).toHaveLength(1);
  });

  it('reports a key that was deleted there, and goes on with it when it is back (STO-03)', async (context) => {
    await reached(context);
    const { AsyncEntry } = await import('@napi-rs/keyring');
    await forgetKeys();
    const store = fileStore({ directory: await temporaryDirectory() });
    const open = () => keychainVault({ store, service: SERVICE });
    await (await open()).write('secret', { n: 1 });
    const [name = ''] = await keysInKeychain();
    const entry = new AsyncEntry(SERVICE, name);
    const value = (await entry.getPassword()) ?? '';
    await entry.deletePassword();
    await expect((await open()).read('secret')).rejects.toMatchObject({ failure: { code: 'vault_key_unknown' } });
    await entry.setPassword(value);
    expect((await (await open()).read('secret'))?.value).toEqual({ n: 1 });
  });

  it('that is locked, with nobody to unlock it, is a coded error, and opens when it is unlocked (STO-02)', async (context) => {
    const service = await reached(context);
    const directory = await temporaryDirectory();
    const vault = await keychainVault({ store: fileStore({ directory }), service: SERVICE });
    await vault.write('secret', { n: 1 });
    const inAnotherProcess = () => inProcesses(program, ['open', directory], { processes: 1, env: service.env });
    await service.lock();
    expect(await inAnotherProcess()).toEqual(['keychain_unavailable']);
    await service.unlock();
    expect(await inAnotherProcess()).toEqual([{ n: 1 }]);
  });
});

describe('a machine without a keychain', () => {
  it.skipIf(process.platform !== 'linux')('is a coded error, and no key goes where a restart would lose it (STO-02)', async () => {
    const directory = await temporaryDirectory();
    const env = { DBUS_SESSION_BUS_ADDRESS: `unix:path=${directory}/nobody` };
    expect(await inProcesses(program, ['seal', directory], { processes: 1, env })).toEqual(['keychain_unavailable']);
  });
});
