import { describe, expect, it } from 'vitest';
import type { GatewayBrowser, Landing } from '../helpers/gateway-browser.ts';
import { callBackend, type Replicas, replicas, withFailover } from '../helpers/gateway-replicas.ts';
import { authorizeUrl, codeForm, type GatewayEntry, post, refreshForm, register } from '../helpers/gateway-scene.ts';
import { inPostgres, inRedis, type MakePlace } from '../helpers/store-places.ts';

const [redis, postgres] = [inRedis(), inPostgres()];
const SWEEP = { timeout: 300_000 };
/** Replicas that are started and killed side by side. */
const AT_ONCE = 4;

/** The endpoint whose answer was lost, and what became of the sign-in when the other replica was asked the same. */
const OUTCOMES = [
  '/mcp: done',
  '/oauth/authorize: done',
  '/oauth/callback: done',
  // The upstream code may have been sent: nobody sends it twice.
  '/oauth/callback: told to begin again (400)',
  // The answer was on its way, and its cookie with it.
  '/oauth/callback: told to begin again (403)',
  '/oauth/consent: done',
  '/oauth/consent: told to begin again (400)',
  '/oauth/consent: told to begin again (403)',
  '/oauth/register: done',
  '/oauth/revoke: done',
  // A refresh always goes on. A code that was redeemed is presented again, and nobody can say by whom.
  '/oauth/token: code refused (400 invalid_grant)',
  '/oauth/token: done',
];

describe('a replica', SWEEP, () => {
  it.for<[string, MakePlace, RegExp]>([
    ['before any of its dealings, over Redis', redis, /./],
    ['before any that changes something, over PostgreSQL', postgres, /^(write|delete|POST|respond) /],
  ])(
    'may be killed %s: a sign-in goes on at the other, or says that it has to begin again, which it then can in the same browser and for the same client (GWY-04, GWY-06, GWY-08)',
    async ([, inStore, kills], context) => {
      const scene = await replicas(context, inStore);
      const second = await scene.start();
      const whole = await diesAt(scene, second, Number.POSITIVE_INFINITY);
      expect([whole.lost, whole.outcome]).toEqual(['nothing', 'done']);
      const points = whole.told.flatMap((dealing, point) => (kills.test(dealing) ? [point] : [])).values();
      const outcomes = new Set<string>();
      const worker = async (): Promise<void> => {
        for (const point of points) {
          const { lost, outcome, again } = await diesAt(scene, second, point);
          outcomes.add(`${lost}: ${outcome}`);
          if (outcome !== 'done') expect(await again()).toBe('done');
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      expect([...outcomes].sort()).toEqual(OUTCOMES);
    },
  );
});

interface KilledSignIn {
  /** The dealings of the first replica. */
  readonly told: readonly string[];
  /** The endpoint whose answer was lost. */
  readonly lost: string;
  readonly outcome: string;
  /** The same person in the same browser, with whatever cookies it has by now, and the same client. */
  again(): Promise<string>;
}

/** A sign-in whose first replica is killed before its dealing number `point`. */
async function diesAt(scene: Replicas, second: GatewayEntry, point: number): Promise<KilledSignIn> {
  const told: string[] = [];
  const first = await scene.start({}, (dealing) => {
    told.push(dealing);
    return told.length > point ? 'die' : 'go on';
  });
  let lost = 'nothing';
  const before = withFailover(first, {
    fetch: (request) => {
      if (lost === 'nothing') lost = new URL(request.url).pathname;
      return second.fetch(request);
    },
  });
  const { body: client } = await register(before);
  const browser = scene.browser(before);
  const signIn = (): Promise<string> => wholeSignIn(before, browser, String(client['client_id']));
  const outcome = await signIn();
  await first.kill();
  return { told, lost, outcome, again: signIn };
}

/** From consent to revocation; `done`, or where it came to its end and what was said there. */
async function wholeSignIn(before: GatewayEntry, browser: GatewayBrowser, clientId: string): Promise<string> {
  const page = await browser.open(authorizeUrl(clientId));
  const landing = await browser.answer(page, 'allow');
  if (landing.response !== undefined) return told(landing);
  const tokens = await post(before, 'token', codeForm(clientId, landing));
  if (tokens.status !== 200) return `code refused (${tokens.status} ${tokens.body['error']})`;
  expect((await callBackend(before, tokens.body['access_token'])).status).toBe(200);
  const refreshed = await post(before, 'token', refreshForm(clientId, tokens.body));
  if (refreshed.status !== 200) return `refresh refused (${refreshed.status} ${refreshed.body['error']})`;
  expect((await callBackend(before, refreshed.body['access_token'])).status).toBe(200);
  expect((await post(before, 'revoke', { client_id: clientId, token: String(refreshed.body['refresh_token']) })).status).toBe(200);
  expect((await callBackend(before, refreshed.body['access_token'])).status).toBe(401);
  return 'done';
}

/** A page that says what happened and what to do. */
function told({ response, html }: Landing): string {
  expect(html).toContain('start again in the application');
  return `told to begin again (${response?.status})`;
}
