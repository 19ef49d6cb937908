import { describe, expect, it } from 'vitest';
import { createClientBounds } from '../../src/gateway/oauth/client-bounds.ts';
import type { Gateway } from '../../src/gateway/oauth/create-gateway.ts';
import { DEFAULT_GATEWAY_LIMITS } from '../../src/gateway/oauth/gateway-options.ts';
import { OAuthAnswer } from '../../src/gateway/oauth/oauth-answers.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { countingStore } from '../helpers/counting-store.ts';
import { authorizeUrl, GATEWAY, REDIRECT_URI, registeredClient } from '../helpers/gateway-scene.ts';
import { callbackUrl, scriptedGateway } from '../helpers/scripted-gateway.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

type Headers = Readonly<Record<string, string>>;

const registerFrom = (gateway: Gateway, clientAddress: string | undefined, headers: Headers = {}): Promise<Response> =>
  gateway.fetch(
    new Request(`${GATEWAY}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ redirect_uris: [REDIRECT_URI] }),
    }),
    clientAddress === undefined ? {} : { clientAddress },
  );

async function statuses(answers: readonly Promise<Response>[]): Promise<readonly number[]> {
  return (await Promise.all(answers)).map(({ status }) => status);
}

describe('the requests of one client address', () => {
  it('register so often in a minute and no more, are told when to come again, and disturb no other address (GWY-05)', async () => {
    const { gateway, clock } = scriptedGateway({ limits: { registrationsPerMinutePerAddress: 2 } });
    const from = (address?: string) => registerFrom(gateway, address);
    expect(await statuses([from('192.0.2.1'), from('192.0.2.1'), from('192.0.2.1'), from('192.0.2.2')])).toEqual([201, 201, 429, 201]);
    await clock.advance(20_000);
    const refused = await from('192.0.2.1');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '40']);
    expect(await refused.json()).toMatchObject({ error: 'temporarily_unavailable' });
    await clock.advance(40_000);
    expect(await statuses([from('192.0.2.1')])).toEqual([201]);
    // Where the adapter tells no address there is nothing to count.
    expect(await statuses([from(), from(), from()])).toEqual([201, 201, 201]);
  });

  it.each<[string, readonly string[], number]>([
    ['one /64 of IPv6', ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', '2001:0DB8::0001:0:0:0:3'], 1],
    ['two /64 of IPv6', ['2001:db8:0:1::1', '2001:db8:0:2::1'], 2],
    ['IPv4 and the same over an IPv6 socket', ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201'], 1],
    ['two IPv4 addresses over an IPv6 socket', ['::ffff:192.0.2.1', '::ffff:192.0.2.2'], 2],
    ['an address with a port or a zone', ['192.0.2.1', '192.0.2.1:4711', ' 192.0.2.1 '], 1],
    ['an IPv6 address with brackets, port or zone', ['fe80::1', '[fe80::1]:80', 'fe80::1%eth0', '[fe80::1]'], 1],
    ['what is no address', ['unknown', '', '1.2.3', '999.1.1.1', '_hidden', '::1::2', 'x'.repeat(9999)], 7],
  ])('are counted together for %s (GWY-05)', async (_, addresses, networks) => {
    const { gateway } = scriptedGateway({ limits: { registrationsPerMinutePerAddress: 1 } });
    const answered = await statuses(addresses.map((address) => registerFrom(gateway, address)));
    expect(answered.filter((status) => status === 201)).toHaveLength(networks);
  });

  it('are not told apart by what callers write into headers (GWY-02, GWY-05)', async () => {
    const { gateway } = scriptedGateway({ limits: { registrationsPerMinutePerAddress: 1 } });
    const forged = ['x-forwarded-for', 'x-real-ip', 'forwarded', 'cf-connecting-ip', 'true-client-ip'].map((name, index) =>
      registerFrom(gateway, '192.0.2.1', { [name]: `198.51.100.${index}` }),
    );
    expect(await statuses(forged)).toEqual([201, 429, 429, 429, 429]);
  });

  it('are told apart by the one header that is named, of which the nearest proxy has written the last entry (GWY-05)', async () => {
    const { gateway } = scriptedGateway({ clientAddressHeader: 'X-Forwarded-For', limits: { registrationsPerMinutePerAddress: 1 } });
    const through = (value: string) => registerFrom(gateway, '10.0.0.1', { 'x-forwarded-for': value });
    expect(await statuses([through('198.51.100.1'), through('198.51.100.2'), through('6.6.6.6, 198.51.100.2')])).toEqual([201, 201, 429]);
    // Around the proxy, or with nonsense: the address of the connection.
    expect(await statuses([registerFrom(gateway, '10.0.0.1'), through('unknown')])).toEqual([201, 429]);
  });

  it('begin so many sign-ins in a minute and no more: a page says so, nothing is looked up, and no slot is taken (GWY-04, GWY-05)', async () => {
    const clock = simulatedClock();
    const { store, operations } = countingStore(memoryStore({ clock }));
    const { gateway } = scriptedGateway({ clock, store, limits: { authorizationsPerMinutePerAddress: 2 } });
    const clientId = await registeredClient(gateway);
    const from = (clientAddress: string) => gateway.fetch(new Request(authorizeUrl(clientId)), { clientAddress });
    expect(await statuses([from('192.0.2.1'), from('192.0.2.1'), from('192.0.2.2')])).toEqual([200, 200, 200]);
    const before = operations();
    const refused = await from('192.0.2.1');
    expect(operations() - before).toBe(0);
    expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('content-type')]).toEqual([
      429,
      '60',
      'text/html; charset=utf-8',
    ]);
    expect(refused.headers.has('set-cookie')).toBe(false);
    expect(await refused.text()).toContain('Too many authorization requests');
    await clock.advance(60_000);
    expect(await statuses([from('192.0.2.1')])).toEqual([200]);
    expect(operations() - before).toBeGreaterThan(0);
  });

  it('hold so many sign-ins open and no more; those that have come to their end, or whose time is over, count no longer (GWY-04, GWY-05)', async () => {
    const clientAddress = '192.0.2.1';
    const { gateway, clock, browser } = scriptedGateway({ limits: { transactionsPerAddress: 2 } });
    const clientId = await registeredClient(gateway);
    const known: Gateway = { ...gateway, fetch: (request) => gateway.fetch(request, { clientAddress }) };
    const [one, other] = [browser(known), browser(known)];
    const page = await one.open(authorizeUrl(clientId));
    await clock.advance(100_000);
    const { url } = await other.answer(await other.open(authorizeUrl(clientId)), 'allow');
    const full = await browser(known).open(authorizeUrl(clientId));
    expect([full.response?.status, full.response?.headers.get('retry-after')]).toEqual([429, '200']);
    await one.answer(page, 'refuse');
    expect((await browser(known).open(authorizeUrl(clientId))).response?.status).toBe(200);
    expect((await browser(known).open(authorizeUrl(clientId))).response?.status).toBe(429);
    expect((await other.open(callbackUrl(url))).url.searchParams.has('code')).toBe(true);
    expect((await browser(known).open(authorizeUrl(clientId))).response?.status).toBe(200);
    await clock.advance(300_000);
    expect((await browser(known).open(authorizeUrl(clientId))).response?.status).toBe(200);
  });

  it.each(['token', 'revoke'])(
    'make the gateway fetch so many documents of clients in a minute and no more, at the %s endpoint, too (GWY-05)',
    async (path) => {
      const asked: string[] = [];
      const { gateway } = scriptedGateway({
        limits: { authorizationsPerMinutePerAddress: 2 },
        clientMetadataDocuments: { resolve: () => Promise.resolve(['93.184.215.14']) },
        fetch: (input, init) => {
          asked.push(new Request(input, init).url);
          return Promise.resolve(new Response(null, { status: 404 }));
        },
      });
      const ask = async (number: number, clientAddress: string): Promise<number> => {
        const body = new URLSearchParams({ client_id: `https://client.example.com/${number}`, token: 'x' });
        return (await gateway.fetch(new Request(`${GATEWAY}/oauth/${path}`, { method: 'POST', body }), { clientAddress })).status;
      };
      const one = [await ask(1, '192.0.2.1'), await ask(2, '192.0.2.1'), await ask(3, '192.0.2.1'), await ask(4, '192.0.2.2')];
      expect(one).toEqual([400, 400, 429, 400]);
      expect(asked).toHaveLength(3);
    },
  );

  it('are counted in bounded memory: of 100,000 addresses the last 10,000 are remembered (GWY-05)', () => {
    const bounds = createClientBounds({
      clock: simulatedClock(),
      limits: { ...DEFAULT_GATEWAY_LIMITS, registrationsPerMinutePerAddress: 1 },
    });
    const isRefused = (network: string): boolean => {
      try {
        bounds.countRegistration(network);
        return false;
      } catch (thrown) {
        return thrown instanceof OAuthAnswer && thrown.status === 429;
      }
    };
    for (let index = 0; index < 100_000; index += 1) bounds.countRegistration(`network-${index}`);
    expect(isRefused('network-99999')).toBe(true);
    expect(isRefused('network-90001')).toBe(true);
    expect(isRefused('network-89999')).toBe(false);
  });

  it('are counted anew where the clock was set back (GWY-05)', async () => {
    const clock = simulatedClock(1_000_000);
    let setBackMs = 0;
    const bounds = createClientBounds({
      clock: { ...clock, now: () => clock.now() - setBackMs },
      limits: { ...DEFAULT_GATEWAY_LIMITS, registrationsPerMinutePerAddress: 1 },
    });
    bounds.countRegistration('a');
    setBackMs = 900_000;
    expect(() => bounds.countRegistration('a')).not.toThrow();
  });
});
