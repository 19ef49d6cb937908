import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { VERSION } from '../../src/cli/version.ts';
import { runCommand, temporaryDirectory } from './run-command.ts';
import { surroundings } from './signed-in.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** The binary in a process of its own, without a browser to start. */
function start(argv: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...argv], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? '' } });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (said[name] += text));
  }
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode: exitCode as number | null, ...said }));
  return { child, said, ended };
}

describe('the binary', () => {
  it('hands its arguments over and ends with the exit code', async () => {
    expect(await start(['--version']).ended).toEqual({ exitCode: 0, stdout: `${VERSION}\n`, stderr: '' });
    expect((await start(['no-such-command']).ended).exitCode).toBe(2);
  });

  it.each([
    ['SIGINT', EXIT_CODES.interrupted],
    ['SIGTERM', EXIT_CODES.terminated],
  ] as const)('ends a login in order on %s', async (signal, exitCode) => {
    const { url } = await surroundings();
    const { child, said, ended } = start(['login', url, '--no-open', '--store', await temporaryDirectory()]);
    child.stderr.on('data', () => {
      if (!child.killed && said.stderr.includes('Waiting for you to approve')) child.kill(signal);
    });
    const { exitCode: actual, stderr } = await ended;
    expect(actual).toBe(exitCode);
    expect(stderr).toContain('Interrupted.');
  });
});

it('shows the options of gateway in groups, with their defaults (GWY-01, GWY-14)', async () => {
  const { stdout } = await runCommand(['gateway', '--help']);
  await expect(stdout).toMatchFileSnapshot('gateway-help.txt');
});

describe('docs/command-line.md', () => {
  const document = readFile(new URL('../../docs/command-line.md', import.meta.url), 'utf8');

  it('explains every exit code', async () => {
    const text = await document;
    for (const code of Object.values(EXIT_CODES)) expect(text).toMatch(new RegExp(`^\\| ${code} +\\|`, 'm'));
  });

  it.each(['login', 'fetch', 'token', 'status', 'discover', 'logout', 'gateway'])('names every option of %s', async (command) => {
    const { stdout } = await runCommand([command, '--help']);
    const options = stdout.match(/--[a-z][a-z-]+(?= |$)/g) ?? [];
    const text = await document;
    expect(options.filter((option) => !text.includes(`\`${option}`))).toEqual([]);
  });
});
