import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { called, gatewaySurroundings, STDIO_SERVER, signedInClient, startGateway } from './gateway-scene.ts';
import { callerNamed, INITIALIZE, post, scene } from './stdio-scene.ts';

/** What connects here shows that it lives. */
async function lifeLine(): Promise<{ readonly port: number; readonly connected: Promise<Socket> }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const connected = once(server, 'connection').then(([socket]) => (socket as Socket).on('error', () => {}).resume());
  return { port: (server.address() as AddressInfo).port, connected };
}

const ANSWER = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } };
const STUBBORN = "process.on('SIGTERM', () => {}); process.on('SIGINT', () => {});";

/** A server that starts a process, which does not look at its stdin. */
const withGrandchild = (port: number, { grandchild = '', server = '' } = {}): string => `
  ${server}
  const life = "${grandchild} require('node:net').connect(${port}, '127.0.0.1').on('close', () => {}); setInterval(() => {}, 1000)";
  require('node:child_process').spawn(process.execPath, ['--eval', life], { stdio: ['ignore', 'inherit', 'inherit'] });
  process.stdin.once('data', () => console.log(JSON.stringify({ jsonrpc: '2.0', id: 1, result: ${JSON.stringify(ANSWER)} })));
`;

describe('the process of a stdio session', () => {
  it('goes on when the whole group of the gateway is interrupted, as Ctrl-C does, and answers what is under way (GWY-01)', async () => {
    const surroundings = await gatewaySurroundings();
    const argv = [...surroundings.argv, '--', process.execPath, STDIO_SERVER];
    const gateway = await startGateway(argv, surroundings.env, { detached: true });
    const { client } = await signedInClient(surroundings);
    const { port, connected } = await lifeLine();
    const waiting = called(client, 'wait', { port });
    const tool = await connected;
    process.kill(-(gateway.child.pid ?? Number.NaN), 'SIGINT');
    await expect.poll(() => gateway.said.stderr).toContain('Ending');
    tool.write('go on');
    expect(await waiting).toBe('waited');
    const { exitCode, stderr } = await gateway.ended;
    expect(exitCode).toBe(0);
    expect(stderr).not.toContain('by itself');
  });

  it.each<readonly [title: string, scripts: { grandchild?: string; server?: string }]>([
    ['that goes with its stdin', {}],
    ['that has to be killed', { server: STUBBORN }],
    ['that leaves some that have to be killed', { grandchild: STUBBORN }],
  ])('%s takes what it started with it (GWY-01)', async (_title, scripts) => {
    const { port, connected } = await lifeLine();
    const { backend } = scene({}, [process.execPath, '--eval', withGrandchild(port, scripts)]);
    await (await post(backend, callerNamed('ada'), INITIALIZE)).text();
    const grandchild = await connected;
    const gone = once(grandchild, 'close');
    await backend.close();
    await gone;
  });

  it('that ends by itself takes what it started with it (GWY-01)', async () => {
    const { port, connected } = await lifeLine();
    const server = "process.stdin.once('data', () => process.stdin.once('data', () => process.exit(3)));";
    const { backend, events } = scene({}, [process.execPath, '--eval', withGrandchild(port, { server })]);
    const begun = await post(backend, callerNamed('ada'), INITIALIZE);
    const gone = once(await connected, 'close');
    const session = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    await post(backend, callerNamed('ada'), { jsonrpc: '2.0', method: 'notifications/initialized' }, session);
    await gone;
    await expect.poll(() => events).toContainEqual(expect.objectContaining({ event: 'backend.ended', exitCode: 3 }));
  });

  /** A gateway with a session, and the end of what its process has started. */
  const gatewayWithGrandchild = async (server = '') => {
    const surroundings = await gatewaySurroundings();
    const { port, connected } = await lifeLine();
    const gateway = await startGateway(
      [...surroundings.argv, '--allow-anonymous', '--', process.execPath, '--eval', withGrandchild(port, { server })],
      surroundings.env,
    );
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    await fetch(surroundings.resource, { method: 'POST', headers, body: JSON.stringify(INITIALIZE) });
    return { gateway, gone: once(await connected, 'close') };
  };

  it('ends in order with a gateway whose terminal is closed (GWY-01)', async () => {
    const { gateway, gone } = await gatewayWithGrandchild();
    gateway.child.kill('SIGHUP');
    await gone;
    expect(await gateway.ended).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('Ended.') });
  });

  it('does not outlive a gateway that is told to quit, which goes by that signal (GWY-01)', async () => {
    const { gateway, gone } = await gatewayWithGrandchild(STUBBORN);
    gateway.child.kill('SIGQUIT');
    await gone;
    expect(await gateway.ended).toMatchObject({ exitCode: null, signal: 'SIGQUIT' });
  });

  it('does not outlive a gateway that ends at once (GWY-01)', async () => {
    const { gateway, gone } = await gatewayWithGrandchild(STUBBORN);
    gateway.child.kill('SIGINT');
    await expect.poll(() => gateway.said.stderr).toContain('Ending');
    // Again and again: what comes within a second of the first signal is taken for its echo.
    const endAgain = (): number | null => {
      gateway.child.kill('SIGTERM');
      return gateway.child.exitCode;
    };
    await expect.poll(endAgain, { interval: 100 }).toBe(143);
    await gone;
  });
});
