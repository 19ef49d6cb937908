import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { endingStreams } from '../../src/cli/gateway/waiting-streams.ts';
import { fedBody } from '../gateway/fed-body.ts';
import { settled } from '../helpers/simulated-clock.ts';

/** What a handler answers behind a gateway that can be told to end. */
function scene(init: RequestInit = {}, headers: HeadersInit = { 'content-type': 'text/event-stream' }) {
  const body = fedBody();
  const stopping = new AbortController();
  const ask = () => endingStreams(async () => new Response(body.stream, { headers }), stopping.signal)(new Request('https://x/mcp', init));
  return { body, stopping, ask, listeners: () => getEventListeners(stopping.signal, 'abort').length };
}

describe('when the gateway ends', () => {
  it.each<[string, RequestInit]>([
    ['GET', {}],
    ['POST of subscriptions/listen', { method: 'POST', headers: { 'mcp-method': 'subscriptions/listen' } }],
  ])('a stream that waits, of a %s, ends properly, at once, and its source with it (GWY-01)', async (_what, init) => {
    const { body, stopping, ask, listeners } = scene(init);
    const reader = (await ask()).body?.getReader();
    body.push('data: 1\n\n');
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 1\n\n');
    const waiting = reader?.read();
    await settled();
    stopping.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect([body.cancelled, listeners()]).toEqual([1, 0]);
  });

  it('a stream that comes just then ends, too (GWY-01)', async () => {
    const { body, stopping, ask } = scene();
    stopping.abort();
    expect(await (await ask()).text()).toBe('');
    expect(body.cancelled).toBe(1);
  });

  it.each<[string, RequestInit, HeadersInit | undefined]>([
    ['the answer to a POST', { method: 'POST' }, undefined],
    ['a download', {}, { 'content-type': 'application/octet-stream' }],
  ])('%s goes on to its own end (GWY-01)', async (_what, init, headers) => {
    const { body, stopping, ask } = scene(init, headers);
    const response = await ask();
    stopping.abort();
    body.push('late');
    body.end();
    expect([await response.text(), body.cancelled]).toEqual(['late', 0]);
  });

  it('nothing is kept of streams that were over before (GWY-01)', async () => {
    const caller = new AbortController();
    const ended = scene();
    const left = scene({ signal: caller.signal });
    const leftBefore = scene({ signal: AbortSignal.abort() });
    const [response] = await Promise.all([ended.ask(), left.ask(), leftBefore.ask()]);
    ended.body.end();
    await response.text();
    caller.abort();
    expect([ended.listeners(), left.listeners(), leftBefore.listeners()]).toEqual([0, 0, 0]);
  });
});
