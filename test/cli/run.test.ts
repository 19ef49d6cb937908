import { describe, expect, it } from 'vitest';
import { EXIT_CODES, exitCodeOf } from '../../src/cli/exit-codes.ts';
import { VERSION } from '../../src/cli/version.ts';
import { failure } from '../../src/failure.ts';
import { FAILURE_CODES, type FailureCode } from '../../src/failure-codes.ts';
import { runCommand } from './run-command.ts';

describe('the command line', () => {
  it('shows its help on stdout', async () => {
    const { exitCode, stdout, stderr } = await runCommand(['--help']);
    expect(exitCode).toBe(0);
    for (const command of ['login', 'fetch', 'token', 'status', 'discover', 'logout', 'gateway'])
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(stderr).toBe('');
    expect(stdout).not.toContain('\u001B');
  });

  it('shows every exit code in its help', async () => {
    const { stdout } = await runCommand(['--help']);
    const codes = stdout.slice(stdout.indexOf('Exit codes:')).match(/(?<= {2})\d+(?= )/g);
    expect(codes).toEqual(Object.values(EXIT_CODES).map(String));
  });

  it.each(['login', 'fetch', 'token', 'status', 'discover', 'logout'])('shows the help of %s with the common options', async (command) => {
    const { exitCode, stdout } = await runCommand([command, '--help']);
    expect(exitCode).toBe(0);
    for (const option of [
      '--store',
      '--account',
      '--no-open',
      '--json',
      '--scope',
      '--client-id',
      '--client-secret-file',
      '--client-metadata-url',
      '--timeout',
      '--verbose',
    ])
      expect(stdout).toContain(option);
  });

  it('has no option that takes a secret as an argument (SEC-01)', async () => {
    const { stdout } = await runCommand(['login', '--help']);
    expect(stdout).not.toMatch(/--client-secret[ =<]/);
    const { exitCode } = await runCommand(['login', 'https://mcp.example.com/mcp', '--client-id', 'x', '--client-secret', 'SECRET-x']);
    expect(exitCode).toBe(2);
  });

  it('shows its version', async () => {
    expect(await runCommand(['--version'])).toMatchObject({ exitCode: 0, stdout: `${VERSION}\n` });
  });

  it.each([
    [[], 'A command is needed.'],
    [['logn', 'https://mcp.example.com/'], "unknown command 'logn' (Did you mean login?)"],
    [['login', 'https://mcp.example.com/', '--store', ''], "option '--store <dir>' argument '' is invalid. It is empty."],
    [['login', 'https://mcp.example.com/', '--account', ''], "option '--account <name>' argument '' is invalid. It is empty."],
    [['login'], "missing required argument 'resource'"],
    [['login', 'https://mcp.example.com/', '--colour'], "unknown option '--colour'"],
    [['login', 'https://mcp.example.com/', 'more'], 'too many arguments'],
    [['login', 'https://mcp.example.com/', '--timeout', 'soon'], 'It must be a number of seconds above 0.'],
    [['login', 'ftp://mcp.example.com/'], 'The resource must be an http or https URL'],
    [['login', 'http://mcp.example.com/'], 'must be an https URL, or http on a loopback address'],
    [['login', 'https://mcp.example.com/', '--issuer', 'https://as.example'], '--issuer needs --client-id.'],
    [['login', 'https://mcp.example.com/', '--client-secret-file', 'x'], '--client-secret-file needs --client-id.'],
    [
      ['login', 'https://mcp.example.com/', '--client-id', 'x', '--client-secret-file', '/nowhere'],
      'The file of --client-secret-file cannot be read: `/nowhere` does not exist.',
    ],
    [['login', 'https://mcp.example.com/', '--client-metadata-url', 'http://app.example/'], 'invalid_configuration'],
  ])('refuses %j with 2 and says why', async (argv, message) => {
    const { exitCode, stdout, stderr } = await runCommand(argv);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
  });

  it('suggests the command that was meant', async () => {
    const { stderr } = await runCommand(['logn', 'https://mcp.example.com/']);
    expect(stderr).toContain('Did you mean login?');
  });

  it('reports a mistake in the arguments as JSON with --json, and nothing else', async () => {
    const { exitCode, lines, stderr } = await runCommand(['login', '--json', '--colour']);
    expect(exitCode).toBe(2);
    expect(lines).toEqual([
      { type: 'error', exitCode: 2, code: 'usage', message: "unknown option '--colour'", advice: 'See authchart login --help.' },
    ]);
    expect(stderr).toBe('');
  });

  it('reports what it has no name for with 1, without its text (SEC-01)', async () => {
    const { exitCode, stderr } = await runCommand(['status', 'https://mcp.example.com/mcp'], {
      parts: { createStore: () => Promise.reject(new Error('SECRET-in-a-message')) },
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('internal_error');
    expect(stderr).not.toContain('SECRET-');
  });

  it('does not start a command that is interrupted already', async () => {
    const started: string[] = [];
    const { exitCode } = await runCommand(['status', 'https://mcp.example.com/mcp'], {
      interrupted: true,
      parts: {
        createStore: async () => {
          started.push('store');
          throw new Error('not to be reached');
        },
      },
    });
    expect(exitCode).toBe(130);
    expect(started).toEqual([]);
  });
});

describe('exit codes', () => {
  it.each(Object.keys(FAILURE_CODES) as FailureCode[])('there is one for the failure %s', (code) => {
    const exitCode = exitCodeOf(failure(code, 'request'));
    expect(Object.values(EXIT_CODES)).toContain(exitCode);
    expect(exitCode).not.toBe(0);
  });

  it.each([
    ['network_unreachable', 5],
    ['authorization_denied', 4],
    ['refresh_rejected', 4],
    ['invalid_configuration', 2],
    ['issuer_mismatch', 6],
    ['client_identifier_required', 3],
    ['store_failed', 7],
    ['record_unreadable', 7],
    ['internal_error', 1],
  ] as const)('%s is %i', (code, exitCode) => {
    expect(exitCodeOf(failure(code, 'request'))).toBe(exitCode);
  });
});
