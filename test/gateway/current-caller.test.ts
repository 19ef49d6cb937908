import { afterEach, describe, expect, it, vi } from 'vitest';
import { RESOURCE } from './token-issuer.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

/** What code deep inside finds, on the platform as it is now. */
async function found(): Promise<unknown> {
  const { protect } = await import('../../src/gateway/protect.ts');
  const { currentCaller } = await import('../../src/gateway/current-caller.ts');
  const handle = protect({
    resource: RESOURCE,
    validator: { validate: async (token) => ({ token, subject: 'alice', scopes: [], claims: {} }) },
    handler: async () => Response.json(currentCaller()?.caller?.subject ?? 'nobody'),
  });
  return (await handle(new Request(RESOURCE, { headers: { authorization: 'Bearer x' } }))).json();
}

describe('the current caller', () => {
  it('is found where the platform has AsyncLocalStorage as a built-in module (GWY-11)', async () => {
    expect(await found()).toBe('alice');
  });

  it('is found where the platform has it as a global (GWY-11)', async () => {
    const { AsyncLocalStorage } = await import('node:async_hooks');
    vi.stubGlobal('process', undefined);
    vi.stubGlobal('AsyncLocalStorage', AsyncLocalStorage);
    expect(await found()).toBe('alice');
  });

  it('is not found where there is none, and requests are served all the same (GWY-11)', async () => {
    vi.stubGlobal('process', undefined);
    expect(await found()).toBe('nobody');
  });
});
