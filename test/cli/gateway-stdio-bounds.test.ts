import { describe, expect, it, onTestFinished } from 'vitest';
import { unreadBound } from '../../src/cli/gateway/unread-bound.ts';
import { fedBody } from '../gateway/fed-body.ts';
import { settled } from '../helpers/simulated-clock.ts';
import { callerNamed, INITIALIZE, post, scene, URL_BEHIND } from './stdio-scene.ts';

const ANSWER = {
  jsonrpc: '2.0',
  id: 1,
  result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } },
};
/** Answers what begins a session, then does this. */
const server = (then: string): readonly [string, ...string[]] => [
  process.execPath,
  '--eval',
  `const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n');
   process.stdin.once('data', () => { say(${JSON.stringify(ANSWER)}); ${then} });`,
];

async function sessionOf(scenery: ReturnType<typeof scene>) {
  const { backend } = scenery;
  const begun = await post(backend, callerNamed('ada'), INITIALIZE);
  await begun.text();
  const session = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
  return { send: (message: object) => post(backend, callerNamed('ada'), { jsonrpc: '2.0', ...message }, session), session };
}

describe('what a stdio session keeps', () => {
  it('for a process that does not read is bounded in bytes, and no stream is watched by many (GWY-01)', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    const { send } = await sessionOf(
      scene({ unreadBytesPerSession: 1_000_000 }, server('process.stdin.pause(); setInterval(() => {}, 1000);')),
    );
    const large = { method: 'notifications/large', params: { filler: 'x'.repeat(60_000) } };
    const statuses: number[] = [];
    while (statuses.at(-1) !== 503 && statuses.length < 90) statuses.push((await send(large)).status);
    // What the pipe holds, the bound, and the one that went beyond it.
    expect(statuses.length).toBeGreaterThan(15);
    expect(statuses.length).toBeLessThan(25);
    expect(statuses.at(-1)).toBe(503);
    expect(warnings).toEqual([]);
  });

  it('of requests that arrive at once counts before they are read (GWY-01)', async () => {
    const { send } = await sessionOf(scene({ unreadBytesPerSession: 1_000_000 }, server('process.stdin.resume();')));
    const requests = Array.from({ length: 5 }, () => send({ method: 'notifications/unsized' }));
    expect((await Promise.all(requests)).map(({ status }) => status)).toEqual([202, 503, 503, 503, 503]);
    expect((await send({ method: 'notifications/unsized' })).status).toBe(202);
  });

  it('for a caller who reads none of several streams is bounded in bytes, and the fullest breaks off (GWY-01)', async () => {
    const flood = `
      let rest = '';
      process.stdin.on('data', (chunk) => {
        for (const line of (rest + chunk).split('\\n').slice(0, -1)) {
          const { id, params } = JSON.parse(line);
          for (let times = 0; times < params?.times; times += 1)
            say({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: params._meta.progressToken, filler: 'x'.repeat(100_000) } });
          if (params?.times) say({ jsonrpc: '2.0', id, result: {} });
        }
      });`;
    const scenery = scene({ unreadBytesPerSession: 1_000_000 }, server(flood));
    const { send } = await sessionOf(scenery);
    const asked = (id: number, times: number) => ({ id, method: 'flood', params: { times, _meta: { progressToken: id } } });
    const first = await send(asked(2, 4));
    const second = await send(asked(3, 7));
    await expect.poll(() => scenery.events.filter(({ event }) => event === 'backend.unread')).toHaveLength(1);
    await expect(second.text()).rejects.toThrow('does not keep up');
    expect((await first.text()).length).toBeGreaterThan(400_000);
  });

  it('of which a chunk is empty goes on after it (GWY-01)', async () => {
    const body = fedBody();
    const reader = unreadBound(1_000_000, () => {})(new Response(body.stream)).body?.getReader();
    const first = reader?.read();
    await settled();
    body.push('');
    await settled();
    body.push('data: 1\n\n');
    expect(new TextDecoder().decode((await first)?.value)).toBe('data: 1\n\n');
  });

  it('in small pieces is bounded by what these take, and not by what is in them (GWY-01)', async () => {
    const body = fedBody();
    let full = 0;
    unreadBound(65_536, () => {
      full += 1;
    })(new Response(body.stream));
    body.push('data: 1\n\n');
    await settled();
    expect(full).toBe(0);
    body.push('data: 2\n\n');
    await settled();
    expect([full, body.cancelled]).toEqual([1, 1]);
  });

  it('in many small pieces is handed on in few (GWY-01)', async () => {
    const pieces = Array.from({ length: 20_000 }, (_, index) => `data: ${index}\n\n`);
    const left = pieces.values();
    let isThere = false;
    const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        const { done, value } = left.next();
        if (done !== true) return controller.enqueue(new TextEncoder().encode(value));
        controller.close();
        isThere = true;
      },
    });
    const bounded = unreadBound(1_000_000, () => {})(new Response(source));
    await expect.poll(() => isThere).toBe(true);
    let text = '';
    let reads = 0;
    for await (const chunk of bounded.body ?? []) {
      text += new TextDecoder().decode(chunk);
      reads += 1;
    }
    expect(text).toBe(pieces.join(''));
    expect(reads).toBeLessThan(20);
  });

  it('of what is no JSON-RPC in the log is bounded in number, together with its stderr (GWY-01, OBS-04)', async () => {
    const noise =
      "for (let times = 0; times < 500; times += 1) say({ level: 'info', text: 'SECRET-x' }); process.stderr.write('words\\n'.repeat(500));";
    const { events, clock, ...scenery } = scene({}, server(noise));
    const { send } = await sessionOf({ ...scenery, events, clock });
    await expect.poll(() => events.filter(({ event }) => event === 'backend.lines-dropped')).toHaveLength(1);
    expect(events.filter(({ event }) => event === 'backend.error' || event === 'backend.stderr')).toHaveLength(200);
    expect(JSON.stringify(events)).not.toContain('SECRET-');
    expect((await send({ method: 'notifications/initialized' })).status).toBe(202);
  });
});

describe('a caller with as many sessions as one may have', () => {
  const begun = async ({ backend }: ReturnType<typeof scene>): Promise<Record<string, string>> => {
    const response = await post(backend, callerNamed('ada'), INITIALIZE);
    await response.text();
    expect(response.status).toBe(200);
    return { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '' };
  };
  const pings = (scenery: ReturnType<typeof scene>) => async (session: Record<string, string>) => {
    const response = await post(scenery.backend, callerNamed('ada'), { jsonrpc: '2.0', id: 9, method: 'ping' }, session);
    await response.text();
    return response.status;
  };

  it('begins another in place of the one that was idle for longest: clients that never say the end lock nobody out (GWY-01)', async () => {
    const scenery = scene({ sessionsPerCaller: 2 });
    const ping = pings(scenery);
    const [first, second] = [await begun(scenery), await begun(scenery)];
    await scenery.clock.advance(1_000);
    expect(await ping(first)).toBe(200);
    const [third, fourth] = await Promise.all([begun(scenery), begun(scenery)]);
    const statuses: number[] = [];
    for (const session of [first, second, third, fourth]) statuses.push(await ping(session));
    expect(statuses).toEqual([404, 404, 200, 200]);
    const fifth = await begun(scenery);
    expect([await ping(third), await ping(fourth), await ping(fifth)]).toEqual([404, 200, 200]);
  });

  it('begins no other while all of them have something under way, and takes none of another caller (GWY-01)', async () => {
    const scenery = scene({ sessions: 2, sessionsPerCaller: 1 });
    const { backend, events } = scenery;
    const session = await begun(scenery);
    const idle = await post(backend, callerNamed('grace'), INITIALIZE);
    await idle.text();
    const waiting = new Request(URL_BEHIND, { headers: { accept: 'text/event-stream', ...session } });
    const stream = await backend.handle(waiting, { caller: callerNamed('ada') });
    expect((await post(backend, callerNamed('ada'), INITIALIZE)).status).toBe(503);
    expect(events.filter(({ event }) => event === 'backend.sessions-full')).toEqual([
      expect.objectContaining({ sessions: 2, ofCaller: 1 }),
    ]);
    const others = { 'mcp-session-id': idle.headers.get('mcp-session-id') ?? '' };
    expect((await post(backend, callerNamed('grace'), { jsonrpc: '2.0', id: 9, method: 'ping' }, others)).status).toBe(200);
    await stream.body?.cancel();
    expect(await pings(scenery)(await begun(scenery))).toBe(200);
  });
});
