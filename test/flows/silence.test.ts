import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogRecord } from '../../src/options.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { networkFails } from '../fixtures/scripted/bad-answers.ts';
import { collectLeaks } from '../fixtures/scripted/secrets.ts';
import { breakableStore } from '../helpers/breakable-store.ts';
import { CALL, type SceneOptions, scene } from '../helpers/scripted-client.ts';
import { UNTIL_EXPIRED_MS } from '../helpers/signed-in-scene.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { failureOfCall, settled, untilStep, whileTimePasses } from '../helpers/waiting.ts';

/** Everything that can happen to a client, one after the other. */
async function eventfulLife(options: SceneOptions = {}) {
  const clock = simulatedClock();
  const { store, breakWrites } = breakableStore(memoryStore({ clock }));
  let decisions: ('approve' | 'deny' | 'wait')[] = ['deny', 'approve', 'wait', 'approve'];
  const stage = scene({
    clock,
    store,
    ...options,
    act(on, url) {
      const [decision = 'approve'] = decisions;
      decisions = decisions.slice(1);
      if (decision === 'wait') return undefined;
      return decision === 'approve' ? on.approve(url) : on.deny(url, { description: 'not today' });
    },
  });
  const { client, servers } = stage;
  const call = (): Promise<Response> => client.fetch(servers.resource.url, CALL);
  await failureOfCall(call());
  await call();
  await failureOfCall(client.fetch('https://elsewhere.example.com/?key=SECRET-query', CALL));
  await failureOfCall(client.completeAuthorization('http://127.0.0.1:7777/callback?code=SECRET-code-forged&state=forged'));
  servers.resource.options.scopesFor = () => ['write'];
  const stepUp = failureOfCall(call());
  await untilStep(client, 'awaiting-user');
  await settled();
  client.cancel();
  await stepUp;
  await call();
  servers.respond('token', networkFails);
  await clock.advance(UNTIL_EXPIRED_MS);
  await whileTimePasses(clock, call());
  breakWrites((key) => key.startsWith('credential/'));
  await clock.advance(UNTIL_EXPIRED_MS);
  await call();
  breakWrites(undefined);
  servers.authorizationServer.expireAccessTokens();
  servers.authorizationServer.revokeRefreshTokens();
  await call();
  await client.signOut();
  await client.close();
  await failureOfCall(call());
  client.cancel();
  return stage;
}

describe('by default', () => {
  const written: unknown[] = [];

  beforeEach(() => {
    written.length = 0;
    for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir', 'table'] as const) {
      vi.spyOn(console, method).mockImplementation((...given: unknown[]) => void written.push([method, ...given]));
    }
    for (const stream of [process.stdout, process.stderr]) {
      vi.spyOn(stream, 'write').mockImplementation((chunk: unknown) => {
        written.push(chunk);
        return true;
      });
    }
    vi.spyOn(process, 'emitWarning').mockImplementation((...given: unknown[]) => void written.push(given));
  });

  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('nothing is logged, whatever happens (SEC-05)', async () => {
    await eventfulLife();
    const seen = [...written];
    vi.restoreAllMocks();
    expect(seen).toEqual([]);
  });
});

describe('the logger', () => {
  it('gets structured records without any secret, of everything that happens (SEC-05)', async () => {
    const records: LogRecord[] = [];
    const { servers } = await eventfulLife({ client: { logger: (record) => void records.push(record) } });
    expect(collectLeaks(records, servers.markers)).toEqual([]);
    for (const record of records) {
      expect(record).toMatchObject({
        level: expect.stringMatching(/^(debug|info|warn|error)$/),
        event: expect.any(String),
        atEpochMs: expect.any(Number),
      });
      expect(record).toEqual(JSON.parse(JSON.stringify(record)));
      expect(JSON.stringify(record)).not.toContain('?');
    }
    expect(new Set(records.map(({ event }) => event))).toContain('tokens-not-stored');
    expect(records.filter(({ event }) => event === 'http.request').length).toBeGreaterThan(5);
  });

  it('gets no warning and no error from a life without trouble (SEC-05)', async () => {
    const records: LogRecord[] = [];
    const { client, servers, clock } = scene({ client: { logger: (record) => void records.push(record) } });
    await client.fetch(servers.resource.url, CALL);
    await clock.advance(UNTIL_EXPIRED_MS);
    await client.fetch(servers.resource.url, CALL);
    await client.signOut();
    await client.close();
    await settled();
    expect(records.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });
});
