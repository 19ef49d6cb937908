import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/gateway/protect-options.ts';
import { called } from './gateway-scene.ts';
import { callerNamed, clientOf, INITIALIZE, post, scene, URL_BEHIND } from './stdio-scene.ts';

/** A server that answers to nothing else. */
const ANSWERS_PINGS = `
  let text = '';
  process.stdin.on('data', (chunk) => {
    const lines = (text + chunk).split('\\n');
    text = lines.pop();
    for (const { id, method } of lines.map((line) => JSON.parse(line))) {
      const result = { initialize: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } }, ping: {} }[method];
      if (result !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
    }
  });
`;

describe('a stdio server behind the gateway', () => {
  it('gets a process for each session that knows its caller and no secret, with its progress passed on (GWY-01, GWY-11)', async () => {
    const { backend } = scene();
    const [ada, grace] = [await clientOf(backend, callerNamed('ada')), await clientOf(backend, callerNamed('grace'))];
    const [one, other] = (await Promise.all([called(ada.client, 'who'), called(grace.client, 'who')])) as {
      readonly pid: number;
      readonly variables: readonly string[];
    }[];
    expect(one).toMatchObject({ subject: 'ada', issuer: 'https://login.example', clientId: 'agent', scopes: 'read' });
    expect(other).toMatchObject({ subject: 'grace' });
    expect(one?.pid).not.toBe(other?.pid);
    expect(one?.variables).toContain('SHOWN');
    expect(one?.variables).not.toContain('HIDDEN');
    expect(one?.variables).not.toContain('OIDC_CLIENT_SECRET');

    const progress: number[] = [];
    await ada.client.callTool({ name: 'count', arguments: {} }, { onprogress: (at) => progress.push(at.progress) });
    expect(progress).toEqual([1, 2, 3]);
  });

  it('is not there for a caller of another name, or the same name elsewhere (GWY-11)', async () => {
    const { backend } = scene();
    const { transport } = await clientOf(backend, callerNamed('ada'));
    const session = { 'mcp-session-id': transport.sessionId ?? '', 'mcp-protocol-version': '2025-11-25' };
    const ping = { jsonrpc: '2.0', id: 7, method: 'ping' };
    const answers = await Promise.all([
      post(backend, callerNamed('grace'), ping, session),
      post(backend, callerNamed('ada', 'https://other.example'), ping, session),
      post(backend, undefined, ping, session),
      post(backend, callerNamed('ada'), ping, { 'mcp-session-id': 'unknown' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(new Set(await Promise.all(answers.map((answer) => answer.text()))).size).toBe(1);
    expect((await post(backend, callerNamed('ada'), ping, session)).status).toBe(200);
  });

  it('is not there for a token of fewer scopes than its process was told, and goes on for one of more (GWY-11)', async () => {
    const { backend } = scene();
    const withScopes = (...scopes: string[]): Caller => ({ ...callerNamed('ada'), scopes });
    const { transport } = await clientOf(backend, withScopes('read', 'write'));
    const session = { 'mcp-session-id': transport.sessionId ?? '', 'mcp-protocol-version': '2025-11-25' };
    const ping = { jsonrpc: '2.0', id: 7, method: 'ping' };
    const asked = [withScopes('read'), withScopes(), withScopes('write', 'admin', 'read')];
    const statuses: number[] = [];
    for (const caller of asked) statuses.push((await post(backend, caller, ping, session)).status);
    expect(statuses).toEqual([404, 404, 200]);
  });

  it('breaks off a stream that its caller does not read, before it fills the memory (GWY-01)', async () => {
    const flood = `
      const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
      process.stdin.once('data', () => {
        say({ id: 1, result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } } });
        process.stdin.once('data', () => {
          for (let times = 0; times < 40; times += 1) say({ method: 'notifications/message', params: { data: 'x'.repeat(1_000_000) } });
          say({ id: 2, result: {} });
        });
      });
    `;
    const { backend, events } = scene({}, [process.execPath, '--eval', flood]);
    const begun = await post(backend, callerNamed('ada'), INITIALIZE);
    await begun.text();
    const session = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    const asked = new Request(URL_BEHIND, { headers: { accept: 'text/event-stream', ...session } });
    const unread = await backend.handle(asked, { caller: callerNamed('ada') });
    await post(backend, callerNamed('ada'), { jsonrpc: '2.0', method: 'notifications/initialized' }, session);
    await expect.poll(() => events.map(({ event }) => event)).toContain('backend.unread');
    await expect(unread.text()).rejects.toThrow('does not keep up');
  });

  it('begins nothing for a token that names nobody (GWY-11)', async () => {
    const { backend } = scene();
    expect((await post(backend, { scopes: [], claims: {} }, INITIALIZE)).status).toBe(403);
    expect((await post(backend, { subject: '', clientId: '', scopes: [], claims: {} }, INITIALIZE)).status).toBe(403);
  });

  it('keeps clients apart whose tokens have an empty subject (GWY-11)', async () => {
    const { backend } = scene();
    const [one, other] = [
      { ...callerNamed(''), clientId: 'one' },
      { ...callerNamed(''), clientId: 'other' },
    ];
    const { transport } = await clientOf(backend, one);
    const session = { 'mcp-session-id': transport.sessionId ?? '', 'mcp-protocol-version': '2025-11-25' };
    const ping = { jsonrpc: '2.0', id: 7, method: 'ping' };
    expect((await post(backend, other, ping, session)).status).toBe(404);
    expect((await post(backend, one, ping, session)).status).toBe(200);
  });

  it('goes on with a session whose requests were cancelled, which servers do not answer, and ends their streams (GWY-01)', async () => {
    const { backend } = scene({ waitingPerSession: 4 }, [process.execPath, '--eval', ANSWERS_PINGS]);
    const begun = await post(backend, callerNamed('ada'), INITIALIZE);
    await begun.text();
    const session = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    for (const id of [2, 3, 4, 5, 6, 7]) {
      const slow = await post(backend, callerNamed('ada'), { jsonrpc: '2.0', id, method: 'slow' }, session);
      const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } };
      expect([slow.status, (await post(backend, callerNamed('ada'), cancel, session)).status]).toEqual([200, 202]);
      expect(await slow.text()).toContain('The request was cancelled.');
    }
    const pinged = await post(backend, callerNamed('ada'), { jsonrpc: '2.0', id: 8, method: 'ping' }, session);
    expect(await pinged.text()).toContain('"result":{}');
  });

  it('answers no more of a caller who reads no answers (GWY-01)', async () => {
    const { backend } = scene({ waitingPerSession: 4 }, [process.execPath, '--eval', ANSWERS_PINGS]);
    const begun = await post(backend, callerNamed('ada'), INITIALIZE);
    await begun.text();
    const session = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    const unread: ReadableStreamDefaultReader<Uint8Array>[] = [];
    for (const id of [2, 3, 4, 5]) {
      const { body } = await post(backend, callerNamed('ada'), { jsonrpc: '2.0', id, method: 'ping' }, session);
      const reader = body?.getReader();
      // The answer is there; that nothing follows it is not seen.
      expect((await reader?.read())?.done).toBe(false);
      if (reader !== undefined) unread.push(reader);
    }
    const ping = { jsonrpc: '2.0', id: 6, method: 'ping' };
    expect((await post(backend, callerNamed('ada'), ping, session)).status).toBe(503);
    await Promise.all(unread.map((reader) => reader.read()));
    expect((await post(backend, callerNamed('ada'), ping, session)).status).toBe(200);
  });

  it('starts no process for what is no proper beginning (GWY-01)', async () => {
    const { backend, events } = scene();
    const answers = [
      await post(backend, callerNamed('ada'), { jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      await post(backend, callerNamed('ada'), 'nonsense'),
      await post(backend, callerNamed('ada'), INITIALIZE, { accept: 'text/html' }),
      await post(backend, callerNamed('ada'), { ...INITIALIZE, filler: 'x'.repeat(5_000_000) }),
      await backend.handle(new Request(URL_BEHIND), { caller: callerNamed('ada') }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 406, 413, 400]);
    expect(events).toEqual([]);
  });

  it('is bounded for one caller and for all (GWY-01)', async () => {
    const { backend, events } = scene({ sessions: 2, sessionsPerCaller: 1 });
    await clientOf(backend, callerNamed('ada'));
    const full = await post(backend, callerNamed('ada'), INITIALIZE);
    expect([full.status, full.headers.get('retry-after')]).toEqual([503, '30']);
    await clientOf(backend, callerNamed('grace'));
    expect((await post(backend, callerNamed('linus'), INITIALIZE)).status).toBe(503);
    expect(events.filter(({ event }) => event === 'backend.sessions-full')).toHaveLength(2);
  });

  it.each<[string, (own: Awaited<ReturnType<typeof clientOf>>) => Promise<unknown>]>([
    ['was ended by its client', ({ transport }) => transport.terminateSession()],
    ['lost its process', ({ client }) => client.callTool({ name: 'die', arguments: {} }).catch(() => {})],
  ])('makes room for somebody else once a session %s, and not before its process is gone (GWY-01)', async (_how, ended) => {
    const { backend } = scene({ sessions: 1 });
    const own = await clientOf(backend, callerNamed('ada'));
    const { pid } = (await called(own.client, 'who')) as { readonly pid: number };
    expect((await post(backend, callerNamed('grace'), INITIALIZE)).status).toBe(503);
    await ended(own);
    await expect.poll(async () => (await post(backend, callerNamed('grace'), INITIALIZE)).status).toBe(200);
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });

  it('that reads and answers nothing is not sent messages without end (GWY-01)', async () => {
    const { backend } = scene({ waitingPerSession: 3 }, [process.execPath, '--eval', 'setInterval(() => {}, 1000)']);
    const begun = await post(backend, callerNamed('ada'), INITIALIZE);
    const session = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    const answers: number[] = [];
    for (const id of [2, 3, 4, 5])
      answers.push((await post(backend, callerNamed('ada'), { jsonrpc: '2.0', id, method: 'ping' }, session)).status);
    expect(answers.at(-1)).toBe(503);
  });

  it('serves a client that asks for the newest protocol first, by the one the server speaks over stdio (GWY-01)', async () => {
    const { backend } = scene();
    const { client } = await clientOf(backend, callerNamed('ada'), { versionNegotiation: { mode: 'auto' } });
    expect(await called(client, 'who')).toMatchObject({ subject: 'ada' });
  });
});
