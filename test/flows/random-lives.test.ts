/** Three clients on one store, to which forty things happen in any order: the same forty for the same seed. */
import { describe, expect, it } from 'vitest';
import type { AuthorizationClient } from '../../src/client.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { networkFails } from '../fixtures/scripted/bad-answers.ts';
import type { Override } from '../fixtures/scripted/overrides.ts';
import { breakableStore } from '../helpers/breakable-store.ts';
import { seededRandom } from '../helpers/random.ts';
import { CALL, scene } from '../helpers/scripted-client.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { settled } from '../helpers/waiting.ts';

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);
const EVENTS = 40;

type Outcome = number | string;

function life(seed: number) {
  const random = seededRandom(seed);
  const clock = simulatedClock();
  const { store, breakWrites } = breakableStore(memoryStore({ clock }));
  const stage = scene({
    clock,
    store,
    resource: { scopesFor: ({ url }) => url.pathname.split('/')[2]?.split('+').filter(Boolean) ?? [] },
    authorizationServer: { refreshTokens: seed % 3 === 0 ? 'keep' : 'rotate', accessTokenSeconds: seed % 5 === 0 ? 20 : 3600 },
    act: (on, url) => random.pick([() => on.approve(url), () => on.approve(url), () => on.deny(url), () => undefined])(),
  });
  const { servers } = stage;
  const clients = [stage.client, stage.another(), stage.another()];
  const waiting = new Set<Promise<Outcome>>();
  const faults: Override[] = [];
  let answersWereLost = false;

  function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
    return work.then(
      (value) => (value instanceof Response ? value.status : 'done'),
      (error: { code?: Outcome; name?: string }) => error.code ?? `without a code: ${error.name}`,
    );
  }

  /** Time passes until it is there, also beyond the deadline of a user who does not come back. */
  async function answered<Result>(work: Promise<Result>): Promise<Result> {
    let isDone = false;
    void work.then(() => {
      isDone = true;
    });
    while (!isDone) {
      await threadsHadTheirTurn();
      await clock.advance(1_000);
    }
    return work;
  }

  const keep = (work: Promise<unknown>): void => void waiting.add(outcomeOf(work));
  const url = (scopes = ''): string => `${servers.resource.url}/${scopes}`;

  /** The server has rotated, and the client cannot know: that its old token comes again is nobody's fault. */
  const loseAnswers = (): void => {
    answersWereLost = true;
  };

  const events: readonly ((client: AuthorizationClient, index: number) => unknown)[] = [
    (client) => keep(client.fetch(url(), CALL)),
    (client) => keep(client.fetch(url(), CALL)),
    (client) => keep(client.fetch(url(random.pick(['a', 'b', 'a+b'])), CALL)),
    (client) => keep(client.authorize({ scopes: [random.pick(['a', 'b', 'c'])] })),
    (client) => keep(client.accessToken()),
    (client) => keep(client.fetch(url(), { ...CALL, signal: AbortSignal.abort() })),
    (client) => keep(client.signOut()),
    (client) => client.cancel(),
    (client, index) => {
      keep(client.close());
      clients[index] = stage.another();
    },
    () => servers.authorizationServer.expireAccessTokens(),
    () => servers.authorizationServer.revokeRefreshTokens(),
    () =>
      faults.push(
        servers.respond(
          random.pick(['token', 'resource-metadata', 'server-metadata', 'registration']),
          random.pick([500, 404, networkFails]),
          { times: random.pick([1, 3, 5]) },
        ),
      ),
    () =>
      faults.push(
        servers.respond('token', () => Response.json({ error: random.pick(['invalid_grant', 'invalid_client']) }, { status: 400 })),
      ),
    () => {
      loseAnswers();
      faults.push(
        servers.respond('token', async (request, proceed) => {
          await proceed();
          return networkFails(request, proceed);
        }),
      );
    },
    () => {
      loseAnswers();
      breakWrites(random.pick([() => true, (key: string) => key.startsWith('credential/')]));
    },
    () => breakWrites(undefined),
    () => clock.jumpTo(clock.now() + random.pick([-100_000, 60_000, 4_000_000])),
    () => clock.advance(random.pick([100, 5_000, 3_575_000, 3_700_000])),
    () => settled(),
    () => settled(),
  ];

  return {
    clients,
    waiting,
    servers,
    async pass(): Promise<void> {
      for (let event = 0; event < EVENTS; event += 1) {
        const index = Math.floor(random.next() * clients.length);
        await random.pick(events)(clients[index] as AuthorizationClient, index);
      }
    },
    /** Everything works again, and everyone who waits is answered. */
    async end(): Promise<readonly Outcome[]> {
      for (const fault of faults) fault.remove();
      breakWrites(undefined);
      return answered(Promise.all(waiting));
    },
    call: (client: AuthorizationClient): Promise<Outcome> => answered(outcomeOf(client.fetch(url(), CALL))),
    /** Rules of the protocol that were broken, but for what lost answers lead to. */
    violations: () =>
      servers.violations.map(({ rule }) => rule).filter((rule) => !(answersWereLost && rule === 'refresh token sent twice')),
  };
}

/**
 * Digests are made in threads. On a busy machine simulated time would run so far ahead of them
 * that every token has ended before its request is sent, for ever.
 */
async function threadsHadTheirTurn(): Promise<void> {
  const nothing = new Uint8Array();
  await Promise.all(Array.from({ length: 8 }, () => crypto.subtle.digest('SHA-256', nothing)));
}

describe('whatever happens, in whatever order', () => {
  it.each(SEEDS)(
    'nobody waits for ever, every error has a code, no rule is broken, and every client works again; seed %i (FET-06, FET-07, RFR-03, RFR-05)',
    async (seed) => {
      const { clients, pass, end, call, violations } = life(seed);
      await pass();
      const outcomes = await end();
      expect(outcomes.filter((outcome) => outcome === 'internal_error' || String(outcome).startsWith('without'))).toEqual([]);
      for (const client of clients) {
        const tries: Outcome[] = [];
        // The user approves every other time.
        while (tries.at(-1) !== 200 && tries.length < 20) tries.push(await call(client));
        expect(tries).toContain(200);
      }
      expect(violations()).toEqual([]);
    },
  );
});
