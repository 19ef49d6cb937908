import { describe, expect, it } from 'vitest';
import { settled } from '../helpers/simulated-clock.ts';
import { fedBody } from './fed-body.ts';
import { type BackendClient, protectedScene, requestWith } from './protected-scene.ts';

const ALICE = 'Bearer good-alice';
const closings = (clients: readonly BackendClient[]): readonly number[] => clients.map(({ closed }) => closed);

describe('the client of a request is closed exactly once', () => {
  it('when the body was read to its end, and not before (GWY-11)', async () => {
    const body = fedBody();
    const { handle, clients } = protectedScene({ handler: () => new Response(body.stream, { status: 202, headers: { 'x-kept': 'yes' } }) });
    const response = await handle(requestWith(ALICE));
    expect([response.status, response.headers.get('x-kept')]).toEqual([202, 'yes']);
    const reader = response.body?.getReader();
    body.push('one');
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('one');
    await settled();
    expect(closings(clients)).toEqual([0]);
    body.end();
    expect((await reader?.read())?.done).toBe(true);
    await settled();
    expect(closings(clients)).toEqual([1]);
  });

  it('when the body fails, which the reader sees (GWY-11)', async () => {
    const body = fedBody();
    const { handle, clients } = protectedScene({ handler: () => new Response(body.stream) });
    const response = await handle(requestWith(ALICE));
    body.fail();
    await expect(response.text()).rejects.toThrow('The backend went away.');
    await settled();
    expect(closings(clients)).toEqual([1]);
  });

  it('when the reader cancels the body, and the source is cancelled, too (GWY-11)', async () => {
    const body = fedBody();
    const { handle, clients } = protectedScene({ handler: () => new Response(body.stream) });
    await (await handle(requestWith(ALICE))).body?.cancel();
    await settled();
    expect([closings(clients), body.cancelled]).toEqual([[1], 1]);
  });

  it('when the caller goes away in the middle of the body (GWY-11)', async () => {
    const body = fedBody();
    const caller = new AbortController();
    const { handle, clients } = protectedScene({ handler: () => new Response(body.stream) });
    const response = await handle(requestWith(ALICE, { signal: caller.signal }));
    const reading = response.text();
    body.push('one');
    await settled();
    caller.abort();
    await expect(reading).rejects.toThrow();
    await settled();
    expect([closings(clients), body.cancelled]).toEqual([[1], 1]);
    // What comes later changes nothing.
    await response.body?.cancel().catch(() => {});
    await settled();
    expect(closings(clients)).toEqual([1]);
  });

  it('when the source does not let itself be cancelled (GWY-11)', async () => {
    const caller = new AbortController();
    const stream = new ReadableStream({ cancel: () => new Promise(() => {}) });
    const { handle, clients } = protectedScene({ handler: () => new Response(stream) });
    await handle(requestWith(ALICE, { signal: caller.signal }));
    caller.abort();
    await settled();
    expect(closings(clients)).toEqual([1]);
  });

  it('when the handler is done, where the caller went away before (GWY-11)', async () => {
    const caller = new AbortController();
    let answer: (response: Response) => void = () => {};
    const body = fedBody();
    const handler = () =>
      new Promise<Response>((resolve) => {
        answer = resolve;
      });
    const { handle, clients } = protectedScene({ handler });
    const handling = handle(requestWith(ALICE, { signal: caller.signal }));
    await settled();
    caller.abort();
    await settled();
    // The handler still works with it.
    expect(closings(clients)).toEqual([0]);
    answer(new Response(body.stream));
    await handling;
    await settled();
    expect([closings(clients), body.cancelled]).toEqual([[1], 1]);
  });

  it('five seconds after the caller went away, where the handler ends later or never (GWY-11)', async () => {
    const caller = new AbortController();
    let answer: (response: Response) => void = () => {};
    const handler = () =>
      new Promise<Response>((resolve) => {
        answer = resolve;
      });
    const { handle, clients, clock } = protectedScene({ handler });
    const handling = handle(requestWith(ALICE, { signal: caller.signal }));
    await settled();
    caller.abort();
    await clock.advance(4_999);
    expect(closings(clients)).toEqual([0]);
    await clock.advance(1);
    expect(closings(clients)).toEqual([1]);
    answer(new Response('too late'));
    await handling;
    await settled();
    expect(closings(clients)).toEqual([1]);
  });

  it.each<[string, () => Response | Promise<Response>, number]>([
    ['has no body', () => new Response(null, { status: 204 }), 204],
    ['is an error of the handler', () => Promise.reject(new Error('SECRET')), 500],
    [
      'is thrown at once',
      () => {
        throw new Error('SECRET');
      },
      500,
    ],
    ['is no response', () => undefined as never, 500],
    [
      'is a response that was read already',
      async () => {
        const used = new Response('x');
        await used.text();
        return used;
      },
      500,
    ],
  ])('when the answer %s (GWY-11)', async (_what, handler, status) => {
    const { handle, clients } = protectedScene({ handler });
    const response = await handle(requestWith(ALICE));
    expect(response.status).toBe(status);
    expect(await response.text()).not.toContain('SECRET');
    await settled();
    expect(closings(clients)).toEqual([1]);
  });

  it('after a HEAD, whose body nobody reads (GWY-11)', async () => {
    const body = fedBody();
    const { handle, clients } = protectedScene({ handler: () => new Response(body.stream, { headers: { 'x-kept': 'yes' } }) });
    const response = await handle(requestWith(ALICE, { method: 'HEAD' }));
    await settled();
    expect([response.headers.get('x-kept'), response.body, body.cancelled, closings(clients)]).toEqual(['yes', null, 1, [1]]);
  });

  it('by what it has: asyncDispose, dispose or close, and only one of them (GWY-11)', async () => {
    const calls: string[] = [];
    const methods = (...names: (string | symbol)[]) =>
      Object.fromEntries(names.map((name) => [name, () => calls.push(String(name))])) as unknown as BackendClient;
    for (const client of [
      methods(Symbol.asyncDispose, Symbol.dispose, 'close'),
      methods(Symbol.dispose, 'close'),
      methods('close'),
      methods('end'),
    ]) {
      const { handle } = protectedScene({ createClient: () => client });
      await (await handle(requestWith(ALICE))).text();
    }
    expect(calls).toEqual(['Symbol(Symbol.asyncDispose)', 'Symbol(Symbol.dispose)', 'close']);
  });

  it('by `closeClient` alone where it is given (GWY-11)', async () => {
    const closed: string[] = [];
    const { handle, clients } = protectedScene({ closeClient: ({ token }) => closed.push(token) });
    await (await handle(requestWith(ALICE))).text();
    expect([closed, closings(clients)]).toEqual([['good-alice'], [0]]);
  });

  it('and the platform is asked to wait for it (GWY-11)', async () => {
    const waited: Promise<unknown>[] = [];
    let finish: () => void = () => {};
    const { handle } = protectedScene({
      closeClient: () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    });
    const response = await handle(requestWith(ALICE), { waitUntil: (work) => waited.push(work) });
    await response.text();
    let isDone = false;
    void waited[0]?.then(() => {
      isDone = true;
    });
    await settled();
    expect([waited.length, isDone]).toEqual([1, false]);
    finish();
    await settled();
    expect(isDone).toBe(true);
  });
});
