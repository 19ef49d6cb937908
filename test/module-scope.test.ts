/** Cloudflare Workers refuse randomness, timers and requests while modules load, which is where clients and gateways are made. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAuthorizationClient } from '../src/client.ts';
import { gatewayHandler } from '../src/gateway/gateway-handler.ts';
import { createGateway } from '../src/gateway/oauth/create-gateway.ts';
import { protect } from '../src/gateway/protect.ts';
import { reverseProxy } from '../src/gateway/proxy/reverse-proxy.ts';
import { createAuthorizationHost } from '../src/host.ts';
import { memoryStore } from '../src/stores/memory-store.ts';
import { signingKey } from './helpers/signing-key.ts';

const resource = 'https://mcp.example.com/mcp';
const key = new Uint8Array(32).fill(7);

function refuse(): never {
  throw new Error('Disallowed operation called within global scope.');
}

describe('while a module loads, without randomness, timers and requests,', () => {
  beforeEach(() => {
    vi.spyOn(crypto, 'getRandomValues').mockImplementation(refuse);
    vi.spyOn(crypto, 'randomUUID').mockImplementation(refuse);
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(refuse);
    vi.spyOn(globalThis, 'fetch').mockImplementation(refuse);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('a gateway can be made that was given its keys (GWY-01)', async () => {
    const gateway = createGateway({
      resource,
      upstream: { issuer: 'https://login.example.com', clientId: 'mcp-gateway', clientSecret: 'of the test' },
      store: memoryStore(),
      sealingKeys: { keys: { one: key }, current: 'one' },
      tokens: { signingKeys: [await signingKey('one')] },
    });
    const proxy = reverseProxy({ resource, backend: 'https://backend.example.com/mcp', sessionKey: key });
    const handler = gatewayHandler({ gateway, handler: protect({ resource, validator: gateway.validator, ...proxy }) });
    vi.restoreAllMocks();
    expect((await handler(new Request('https://mcp.example.com/oauth/health'))).status).toBe(200);
  });

  it('so can a client and a host (FET-01, STO-04)', () => {
    const client = createAuthorizationClient({ resource, clientMetadata: { redirect_uris: ['https://app.example.com/callback'] } });
    const host = createAuthorizationHost({ store: memoryStore(), redirectUri: 'https://app.example.com/callback', identify: () => 'ann' });
    expect([client.status.step, host.loadedClients]).toEqual(['idle', 0]);
  });
});
