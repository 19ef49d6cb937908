import { describe, expect, it } from 'vitest';
import { called } from './gateway-scene.ts';
import { callerNamed, clientOf, post, scene } from './stdio-scene.ts';

describe('a stdio server behind the gateway', () => {
  it('that dies answers what is under way, and its session is over (GWY-01)', async () => {
    const { backend, events } = scene();
    const { client, transport } = await clientOf(backend, callerNamed('ada'));
    await expect(client.callTool({ name: 'die', arguments: {} })).rejects.toThrow('The MCP server behind the gateway has ended.');
    const session = { 'mcp-session-id': transport.sessionId ?? '' };
    expect((await post(backend, callerNamed('ada'), { jsonrpc: '2.0', id: 9, method: 'ping' }, session)).status).toBe(404);
    expect(events).toContainEqual(expect.objectContaining({ level: 'warn', event: 'backend.ended' }));
  });

  it('that cannot be started says so to the client and the log, without a text of the system (GWY-01)', async () => {
    const { backend, events } = scene({}, ['/nowhere/program', 'SECRET-argument']);
    await expect(clientOf(backend, callerNamed('ada'))).rejects.toThrow('The MCP server behind the gateway has ended.');
    expect(events).toContainEqual(
      expect.objectContaining({ level: 'error', event: 'backend.failed', program: '/nowhere/program', code: 'ENOENT' }),
    );
    expect(JSON.stringify(events)).not.toContain('SECRET-');
  });

  it.each<readonly [title: string, script: string, end: object]>([
    ['an exit code', 'process.exit(3)', { exitCode: 3 }],
    ['a signal', "process.kill(process.pid, 'SIGKILL')", { signal: 'SIGKILL' }],
  ])('that ends before its first answer leaves its program, %s and its last words in the log (GWY-01)', async (_title, script, end) => {
    const words = `first\\n\\u001B[31mmy last\\u0007 line ${'x'.repeat(600)}`;
    const { backend, events } = scene({}, [process.execPath, '--eval', `require('node:fs').writeSync(2, '${words}\\n\\n'); ${script}`]);
    await expect(clientOf(backend, callerNamed('ada'))).rejects.toThrow('has ended');
    const program = process.execPath;
    const text = expect.stringMatching(/^\[31mmy last line x(?=x)[^\p{Cc}]*…$/u);
    await expect
      .poll(() => events.filter(({ event }) => event === 'backend.last-words'))
      .toEqual([{ level: 'warn', event: 'backend.last-words', program, text }]);
    expect(events).toContainEqual(expect.objectContaining({ level: 'warn', event: 'backend.ended', program, ...end }));
  });

  it('that ends later leaves no words in the log but its end (GWY-01)', async () => {
    const { backend, events } = scene();
    const { client } = await clientOf(backend, callerNamed('ada'));
    await called(client, 'grumble');
    await expect(client.callTool({ name: 'die', arguments: {} })).rejects.toThrow('has ended');
    await backend.close();
    expect(events).toContainEqual(expect.objectContaining({ event: 'backend.ended', exitCode: 3 }));
    expect(events.filter(({ event }) => event === 'backend.last-words')).toEqual([]);
  });

  it('that ends while the gateway does is no reason to worry (GWY-01)', async () => {
    const stopping = new AbortController();
    const { backend, events } = scene({}, undefined, stopping.signal);
    const { client } = await clientOf(backend, callerNamed('ada'));
    stopping.abort();
    await expect(client.callTool({ name: 'die', arguments: {} })).rejects.toThrow('has ended');
    const ends = events.filter(({ event }) => event === 'backend.ended');
    expect(ends).toEqual([expect.objectContaining({ level: 'info', exitCode: 3, reason: 'The process ended while the gateway did.' })]);
  });

  it('refuses a subject that no environment can hold, instead of another one (GWY-11)', async () => {
    const { backend, events } = scene();
    await expect(clientOf(backend, callerNamed('ada\u0000root'))).rejects.toThrow('has ended');
    expect(events).toContainEqual(expect.objectContaining({ event: 'backend.failed', code: 'ERR_INVALID_ARG_VALUE' }));
  });

  it('ends when it is idle, but not while a stream waits (GWY-01)', async () => {
    const { backend, clock } = scene({ idleMs: 60_000 });
    const { transport, client } = await clientOf(backend, callerNamed('ada'));
    const session = { 'mcp-session-id': transport.sessionId ?? '' };
    await called(client, 'who');
    await clock.advance(3_600_000);
    expect(((await called(client, 'who')) as { subject: string }).subject).toBe('ada');
    await client.close();
    await clock.advance(3_600_000);
    await expect
      .poll(async () => (await post(backend, callerNamed('ada'), { jsonrpc: '2.0', id: 9, method: 'ping' }, session)).status)
      .toBe(404);
  });

  it('writes what the process says to stderr into the log, in one line and without control characters (OBS-04)', async () => {
    const { backend, events } = scene();
    const { client } = await clientOf(backend, callerNamed('ada'));
    await called(client, 'grumble');
    await backend.close();
    expect(events).toContainEqual(
      expect.objectContaining({ level: 'info', event: 'backend.stderr', text: expect.stringMatching(/^grumbling.*about it$/) }),
    );
    expect(JSON.stringify(events)).not.toContain('\\u001b');
  });
});
