import { describe, expect, it } from 'vitest';
import { transactionMachine } from '../../machines/gateway/transaction-machine.ts';
import { addGatewayGoldens, type GatewayGolden, gatewayGoldens } from '../fixtures/checkpoints/gateway-golden.ts';
import { filledStore } from '../helpers/dumping-store.ts';
import type { GatewayBrowser } from '../helpers/gateway-browser.ts';
import { post, REDIRECT_URI, VERIFIER } from '../helpers/gateway-scene.ts';
import { callbackUrl, scriptedGateway } from '../helpers/scripted-gateway.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';

if (process.env['GOLDEN'] === 'add') await addGatewayGoldens();

/** What is left for the person and the client to do, and goes through: everything else is refused, and changes nothing. */
const GOES_ON: Readonly<Record<string, readonly string[]>> = {
  // The page was never shown, or the way upstream never told: the person begins again.
  received: [],
  awaitingConsent: ['consent'],
  sendingUpstream: [],
  sentUpstream: ['callback'],
  // The upstream code may be spent: it is not sent again.
  exchanging: [],
  codeIssued: ['code'],
  // The client has its tokens; the code coming once more ends them.
  redeemed: [],
  lapsing: [],
  lapsePending: [],
  revoking: [],
  revocationPending: [],
  replayed: [],
  denied: [],
  failed: [],
  expired: [],
};

const ENDS_GRANT: readonly string[] = ['redeemed', 'revoking', 'revocationPending', 'lapsing', 'lapsePending'];

async function opened(golden: GatewayGolden) {
  const clock = simulatedClock(golden.writtenAtEpochMs + 5_000);
  const world = scriptedGateway({ clock, store: await filledStore(clock, golden.store) });
  const browserWith = (cookie: readonly [string, string] | undefined): GatewayBrowser => {
    const browser = world.browser();
    if (cookie !== undefined) browser.cookies.set(...cookie);
    return browser;
  };
  return { world, browserWith };
}

describe('the store of a gateway that an earlier version has left', () => {
  it('there is one for every state of a transaction; `npm run golden` adds what is missing (GWY-04, RES-04)', () => {
    const kept = gatewayGoldens().map(({ name }) => name);
    expect(Object.keys(transactionMachine.root.states).filter((state) => !kept.includes(state))).toEqual([]);
  });

  it.each(gatewayGoldens().map((golden) => [golden.name, golden] as const))(
    'with %s goes on as it should (GWY-04, RES-04)',
    async (name, golden) => {
      const { held, clientId } = golden;
      const [forConsent, forTheWayBack] = held.cookies;
      const goesOn: string[] = [];

      const consent = await opened(golden);
      const page = { url: new URL('https://gateway.example.com/oauth/authorize'), html: held.page };
      const answered = await consent.browserWith(forConsent).answer(page, 'allow');
      expect(answered.response?.status ?? 303).toBeLessThan(500);
      if (answered.url.origin === 'https://login.example.com') goesOn.push('consent');

      const back = await opened(golden);
      const upstream = held.upstream.startsWith('https://login.example.com')
        ? new URL(held.upstream)
        : new URL('https://login.example.com/?state=x');
      const landed = await back.browserWith(forTheWayBack ?? forConsent).open(callbackUrl(upstream));
      expect(landed.response?.status ?? 303).toBeLessThan(500);
      if (landed.url.searchParams.has('code') && landed.url.href.startsWith(REDIRECT_URI)) goesOn.push('callback');
      expect(back.world.provider.tokenRequests).toHaveLength(goesOn.includes('callback') ? 1 : 0);

      const redeeming = await opened(golden);
      const form = { grant_type: 'authorization_code', client_id: clientId, code: held.code, code_verifier: VERIFIER };
      const { status } = await post(redeeming.world.gateway, 'token', form);
      if (status === 200) goesOn.push('code');
      else expect(status).toBe(400);
      expect(redeeming.world.provider.revoked.length > 0).toBe(ENDS_GRANT.includes(name));

      expect(goesOn).toEqual(GOES_ON[name]);
    },
  );
});
