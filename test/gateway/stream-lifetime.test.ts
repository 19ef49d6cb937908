import { beforeEach, describe, expect, it } from 'vitest';
import { protect } from '../../src/gateway/protect.ts';
import type { ProtectOptions } from '../../src/gateway/protect-options.ts';
import { reverseProxy } from '../../src/gateway/proxy/reverse-proxy.ts';
import type { TokenValidator } from '../../src/gateway/token-validator.ts';
import { caughtConsole } from '../helpers/caught-console.ts';
import { settled, simulatedClock } from '../helpers/simulated-clock.ts';
import { fedBody } from './fed-body.ts';
import { type BackendClient, backendClient, protectedScene, requestWith } from './protected-scene.ts';
import { listening, listeningHandler, PUBLIC } from './proxied-scene.ts';

const ALICE = 'Bearer good-alice';
const EVENTS = { 'content-type': 'text/event-stream' };
/** Until the token of `streamScene` ends. */
const LIFE_MS = 900_000;
const LEEWAY_MS = 30_000;

const expiringAt = (expiresAtEpochSeconds: number | undefined): TokenValidator => ({
  validate: async (token) => ({
    token,
    subject: 'alice',
    scopes: [],
    claims: {},
    ...(expiresAtEpochSeconds !== undefined && { expiresAtEpochSeconds }),
  }),
});

/** A handler that answers with a body which the test feeds, for a caller whose token ends in 15 minutes. */
function streamScene(options: Partial<ProtectOptions<BackendClient>> = {}, headers: HeadersInit = EVENTS) {
  const body = fedBody();
  const started = simulatedClock();
  const scene = protectedScene({
    validator: expiringAt((started.now() + LIFE_MS) / 1000),
    handler: () => new Response(body.stream, { headers }),
    ...options,
  });
  const open = async (init: RequestInit = {}) => {
    const reader = (await scene.handle(requestWith(options.fallbackClient === undefined ? ALICE : undefined, init))).body?.getReader();
    let isOver = false;
    void reader?.closed.then(
      () => {
        isOver = true;
      },
      () => {},
    );
    const next = async () => {
      const { done, value } = (await reader?.read()) ?? {};
      return done === true ? 'the end' : new TextDecoder().decode(value);
    };
    return { next, isOver: () => isOver };
  };
  return { ...scene, body, open, closings: () => scene.clients.map(({ closed }) => closed) };
}

describe('an event stream that waits', () => {
  it.each<[string, RequestInit, HeadersInit]>([
    ['of a GET', {}, EVENTS],
    ['of a GET, its type in other letters', {}, { 'content-type': 'Text/Event-Stream; charset=utf-8' }],
    ['of a POST of subscriptions/listen', { method: 'POST', headers: { 'mcp-method': 'subscriptions/listen' } }, EVENTS],
  ])('%s ends properly when its token has ended, and its client with it, once (GWY-09, GWY-11)', async (_what, init, headers) => {
    const { clock, body, open, closings } = streamScene({}, headers);
    const { next } = await open(init);
    await clock.advance(LIFE_MS + LEEWAY_MS - 1);
    body.push('data: 1\n\n');
    expect(await next()).toBe('data: 1\n\n');
    const waiting = next();
    await settled();
    expect([closings(), body.cancelled]).toEqual([[0], 0]);
    await clock.advance(1);
    expect(await waiting).toBe('the end');
    expect([closings(), body.cancelled]).toEqual([[1], 1]);
  });

  it('has the time that clocks may differ also where the token was let in after its end (GWY-09)', async () => {
    const started = simulatedClock().now();
    const { clock, open } = streamScene({ validator: expiringAt((started - 200_000) / 1000) });
    const { isOver } = await open();
    await clock.advance(LEEWAY_MS - 1);
    expect(isOver()).toBe(false);
    await clock.advance(1);
    expect(isOver()).toBe(true);
  });

  it.each<[string, (scene: ReturnType<typeof streamScene>, caller: AbortController) => void]>([
    ['the backend ends it', ({ body }) => body.end()],
    ['the backend breaks off', ({ body }) => body.fail()],
    ['its caller goes away', (_scene, caller) => caller.abort()],
  ])('that is over before, as %s, is waited for no longer (GWY-11)', async (_what, end) => {
    const scene = streamScene();
    const caller = new AbortController();
    const { next } = await scene.open({ signal: caller.signal });
    const waiting = next().catch(() => 'an error');
    await settled();
    expect(scene.clock.sleeping).toBe(1);
    end(scene, caller);
    await waiting;
    await settled();
    expect([scene.clock.sleeping, scene.closings()]).toEqual([0, [1]]);
    await scene.clock.advance(LIFE_MS * 2);
    expect(scene.closings()).toEqual([1]);
  });

  it('that nobody can send is waited for no longer (GWY-11)', async () => {
    const used = new Response('x', { headers: EVENTS });
    await used.text();
    const { clock, handle } = streamScene({ handler: () => used });
    expect([(await handle(requestWith(ALICE))).status, clock.sleeping]).toEqual([500, 0]);
  });

  it('ends at the caller and at the backend of a proxy, on real connections (GWY-01, GWY-11)', async () => {
    caughtConsole();
    const clock = simulatedClock();
    let isGone = false;
    const backend = await listening((_request, response) => {
      response.writeHead(200, EVENTS).write('data: 1\n\n');
      response.on('close', () => {
        isGone = true;
      });
    });
    const handle = protect({
      resource: PUBLIC,
      validator: expiringAt((clock.now() + LIFE_MS) / 1000),
      clock,
      ...reverseProxy({ resource: PUBLIC, backend }),
    });
    const front = await listeningHandler((request) => handle(new Request(PUBLIC, request)));
    const response = await fetch(front, { headers: { authorization: ALICE } });
    const reader = response.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 1\n\n');
    await clock.advance(LIFE_MS + LEEWAY_MS);
    expect((await reader?.read())?.done).toBe(true);
    await expect.poll(() => isGone).toBe(true);
  });
});

describe('what is left alone when the token ends', () => {
  let fallbackClient: BackendClient;
  beforeEach(() => {
    fallbackClient = backendClient('fallback');
  });

  it.each<[string, () => ReturnType<typeof streamScene>, RequestInit]>([
    ['the answer to a POST, which would be lost', () => streamScene(), { method: 'POST' }],
    ['that of a tool', () => streamScene(), { method: 'POST', headers: { 'mcp-method': 'tools/call' } }],
    ['a body that is no event stream', () => streamScene({}, { 'content-type': 'application/octet-stream' }), {}],
    ['a stream of a token that says no end', () => streamScene({ validator: expiringAt(undefined) }), {}],
    ['a stream of a token that ends never', () => streamScene({ validator: expiringAt(Number.POSITIVE_INFINITY) }), {}],
    ['a stream of a token whose end is no number', () => streamScene({ validator: expiringAt(Number.NaN) }), {}],
    ['a stream of the fallback client', () => streamScene({ fallbackClient }), {}],
  ])('%s (GWY-09)', async (_what, scene, init) => {
    const { clock, body, open } = scene();
    const { next } = await open(init);
    await clock.advance(LIFE_MS * 1000);
    body.push('data: late\n\n');
    expect([clock.sleeping, await next()]).toEqual([0, 'data: late\n\n']);
  });
});
