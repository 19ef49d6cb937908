import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isRunnable, whyUnreachable } from '../../src/cli/gateway/look-backend.ts';
import { systemClock } from '../../src/clock.ts';
import { freePort } from '../helpers/free-port.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { startGateway } from './gateway-scene.ts';
import { runCommand } from './run-command.ts';

/** Takes connections and says nothing. */
async function silentPort(onConnection = (): void => {}): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onConnection();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const WITHOUT_METADATA = [
  ...['--client-id', 'mcp', '--upstream-scope', 'email'],
  ...['--authorize-endpoint', 'https://login.example.com/a', '--token-endpoint', 'https://login.example.com/t'],
];
const argvOf = (backendPort: number, resourcePort: number): readonly string[] => [
  ...['gateway', ...WITHOUT_METADATA, '--resource', `http://localhost:${resourcePort}/mcp`],
  ...['--backend', `http://127.0.0.1:${backendPort}/mcp?key=SECRET-x`, '--json'],
];

describe('authchart gateway looks behind itself', () => {
  it('with --check, and says what happened where nobody is there (GWY-14)', async () => {
    const { exitCode, lines, stdout } = await runCommand([...argvOf(await freePort(), 8080), '--check']);
    expect(exitCode).toBe(5);
    expect(lines.at(-1)).toMatchObject({ type: 'error', code: 'backend_unreachable', message: expect.stringContaining('ECONNREFUSED') });
    expect(stdout).not.toContain('SECRET-');
  });

  it('with --check, and a connection is enough (GWY-14)', async () => {
    expect((await runCommand([...argvOf(await silentPort(), 8080), '--check'])).exitCode).toBe(0);
  });

  it('at its start, which does not wait for the server behind (GWY-01)', async () => {
    const gateway = await startGateway(argvOf(await freePort(), await freePort()), {});
    await expect.poll(() => gateway.said.stdout).toMatch(/"type":"listening"[\s\S]*"type":"note","message":"The MCP server behind/);
    gateway.child.kill('SIGTERM');
    expect((await gateway.ended).exitCode).toBe(0);
  });

  it('no longer than 5 seconds (GWY-14)', async () => {
    const clock = simulatedClock();
    const looking = whyUnreachable(`https://127.0.0.1:${await silentPort()}`, clock, new AbortController().signal);
    await clock.advance(5_000);
    expect(await looking).toBe('no connection in 5 seconds');
  });

  it('until it is told to end (GWY-01)', async () => {
    const ending = new AbortController();
    const looking = whyUnreachable(`https://127.0.0.1:${await silentPort()}`, systemClock, ending.signal);
    ending.abort(new Error('told to end'));
    await expect(looking).rejects.toThrow('told to end');
  });

  it('with --check, which finds nothing right when it is interrupted (GWY-14)', async () => {
    let interrupt = (): void => {};
    const backend = `https://127.0.0.1:${await silentPort(() => interrupt())}/mcp`;
    const argv = ['gateway', ...WITHOUT_METADATA, '--resource', 'http://localhost:8080/mcp', '--backend', backend, '--json', '--check'];
    const { exitCode, lines } = await runCommand(argv, { onStart: (running) => (interrupt = running.interrupt) });
    expect([exitCode, lines.map(({ type }) => type)]).toEqual([130, ['note', 'error']]);
  });

  it.each([
    ['a path', process.execPath, true],
    ['a name', 'node', true],
    ['a name that nothing has', 'no-such-program', false],
    ['a path that leads nowhere', './no-such-program', false],
    ['a directory', '/', false],
    ['the name of a file here', 'package.json', false],
    ['a file that is no program', './package.json', false],
  ])('and knows whether %s can be run (GWY-14)', (_, program, expected) => expect(isRunnable(program)).toBe(expected));
});
