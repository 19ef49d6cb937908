import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { terminalReporter } from '../../src/cli/report/terminal-reporter.ts';
import { failure } from '../../src/failure.ts';
import type { AuthorizationStatus } from '../../src/status.ts';
import { simulatedClock } from '../helpers/simulated-clock.ts';
import { surroundings } from './signed-in.ts';

/** What begins a command to the terminal. */
const ESCAPE = '\u001B';
/** Commands that move the cursor or wipe, as against colours. */
const MOVEMENT = new RegExp(`${ESCAPE}\\[(\\d*[A-HJK]|\\?)`);
const COLOUR = new RegExp(`${ESCAPE}\\[(3\\d|1|2)m`);

const FACTS = { resource: 'https://mcp.example.com/mcp', account: 'default' };
const AWAITING: AuthorizationStatus = {
  ...FACTS,
  step: 'awaiting-user',
  description: '',
  authorizationUrl: 'https://as.example/authorize?state=s',
  deadlineEpochSeconds: 1_767_225_600 + 581,
};
const PROGRESS = { completed: 3, total: 5 };

/** A reporter on streams of the test. */
function reporting(options: { readonly columns?: number; readonly env?: Readonly<Record<string, string>> } = {}) {
  const said = { stdout: '', stderr: '' };
  const streamOf = (name: 'stdout' | 'stderr'): PassThrough => {
    const stream = new PassThrough({ encoding: 'utf8' });
    if (options.columns !== undefined) Object.assign(stream, { isTTY: true, columns: options.columns, rows: 50 });
    // `write` is seen at once, `data` a turn later.
    stream.write = (text: string): boolean => {
      said[name] += text;
      return true;
    };
    return stream;
  };
  const io = {
    stdin: new PassThrough(),
    stdout: streamOf('stdout'),
    stderr: streamOf('stderr'),
    env: { TERM: 'xterm-256color', ...options.env },
    interrupted: new AbortController().signal,
  };
  const reporter = terminalReporter(io, simulatedClock(1_767_225_600_000));
  return { reporter, said, plain: () => stripVTControlCharacters(said.stderr) };
}

describe('at a terminal', () => {
  it('draws one line that moves, with what is under way, the time left and how far it is', () => {
    const { reporter, plain } = reporting({ columns: 100 });
    reporter.status(AWAITING, PROGRESS);
    reporter.stop();
    expect(plain()).toContain('Waiting for you to approve in the browser  9:41 left');
    expect(plain()).toContain('3/5');
  });

  it('writes the authorization URL in one piece, so that it can be copied', () => {
    const { reporter, plain } = reporting({ columns: 40 });
    const authorizationUrl = `https://as.example/authorize?state=${'s'.repeat(4000)}`;
    reporter.status({ ...AWAITING, authorizationUrl }, PROGRESS);
    reporter.stop();
    expect(plain().split('\n')).toContain(authorizationUrl);
  });

  it('shows the URL once, however often the status changes', () => {
    const { reporter, plain } = reporting({ columns: 100 });
    reporter.status(AWAITING, PROGRESS);
    reporter.status({ ...AWAITING, requestedScopes: ['a'] }, PROGRESS);
    reporter.stop();
    expect(plain().match(/https:\/\/as\.example/g)).toHaveLength(1);
  });

  it('leaves a line for each step that is done, with what came of it', () => {
    const { reporter, plain } = reporting({ columns: 100 });
    reporter.status({ ...FACTS, step: 'discovering', description: '' }, { completed: 0, total: 5 });
    reporter.status({ ...FACTS, step: 'registering', description: '', issuer: 'https://as.example' }, { completed: 1, total: 5 });
    reporter.status({ ...FACTS, step: 'preparing', description: '', registration: 'dynamic' }, { completed: 2, total: 5 });
    reporter.status({ ...FACTS, step: 'exchanging', description: '' }, { completed: 4, total: 5 });
    reporter.status(
      { ...FACTS, step: 'authorized', grantedScopes: ['a', 'b'], expiresAtEpochSeconds: 1_767_229_200 },
      { completed: 5, total: 5 },
    );
    reporter.stop();
    expect(plain()).toContain('✓ Found the authorization server  https://as.example\n');
    expect(plain()).toContain('✓ Client identifier ready         dynamic registration\n');
    expect(plain()).toContain('✓ Access token received           a b, valid for 1 hour\n');
  });

  it('does not tick off a step that failed', () => {
    const { reporter, plain } = reporting({ columns: 100 });
    reporter.status({ ...FACTS, step: 'exchanging', description: '' }, PROGRESS);
    reporter.status({ ...FACTS, step: 'failed', failure: failure('code_rejected', 'token') }, PROGRESS);
    reporter.stop();
    expect(plain()).not.toContain('✓');
  });

  it.each([
    ['exchanging', { step: 'preparing', description: '', warning: failure('code_rejected', 'token') }],
    ['exchanging', { step: 'discovering', description: '' }],
    ['registering', { step: 'discovering', description: '' }],
    ['registering', { step: 'awaiting-client', description: '' }],
    ['refreshing', { step: 'discovering', description: '' }],
    ['refreshing', { step: 'authorized', warning: failure('network_unreachable', 'refresh') }],
  ] as const)('does not tick off %s when it has to be tried in another way: %j', (step, next) => {
    const { reporter, plain } = reporting({ columns: 100 });
    reporter.status({ ...FACTS, step, description: '' }, PROGRESS);
    reporter.status({ ...FACTS, ...next }, PROGRESS);
    reporter.stop();
    expect(plain()).not.toContain('✓');
  });

  it.each([
    ['refreshing', { step: 'authorized', warning: failure('tokens_not_stored', 'storage') }, 'Access token refreshed'],
    ['awaiting-client', { step: 'registering', description: '' }, 'Client identifier given'],
  ] as const)('ticks off %s when it has done its work: %j', (step, next, done) => {
    const { reporter, plain } = reporting({ columns: 100 });
    reporter.status({ ...FACTS, step, description: '' }, PROGRESS);
    reporter.status({ ...FACTS, ...next }, PROGRESS);
    reporter.stop();
    expect(plain()).toContain(`✓ ${done}`);
  });

  it('hides nothing of a warning', () => {
    const { reporter, plain } = reporting({ columns: 100 });
    reporter.status({ ...FACTS, step: 'authorized', warning: failure('tokens_not_stored', 'storage') }, PROGRESS);
    reporter.stop();
    expect(plain()).toContain('New tokens could not be stored');
  });

  it('cannot be made to draw by what a server sends (TOK-04 at the terminal)', () => {
    const { reporter, said } = reporting({ columns: 100, env: { NO_COLOR: '1' } });
    const hostile = 'https://as.example/\u001B]0;owned\u0007\u001B[2J\u202E';
    reporter.status({ ...FACTS, step: 'discovering', description: '' }, PROGRESS);
    reporter.status({ ...FACTS, step: 'registering', description: '', issuer: hostile }, PROGRESS);
    reporter.failure(failure('registration_rejected', 'registration', { oauthErrorDescription: hostile, issuer: hostile }), 2);
    expect(said.stderr).not.toContain('\u001B]0');
    expect(said.stderr).not.toContain('\u001B[2J');
    expect(said.stderr).not.toContain('\u202E');
  });
});

describe('colours and movement', () => {
  it.each([
    [{}, true],
    [{ NO_COLOR: '1' }, false],
    [{ NO_COLOR: '' }, true],
    [{ TERM: 'dumb' }, false],
    [{ FORCE_COLOR: '0' }, false],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ])('at a terminal with %j: colours %s', (env, expected) => {
    const { reporter, said } = reporting({ columns: 100, env: env as Record<string, string> });
    reporter.failure(failure('code_rejected', 'token'), 4);
    expect(COLOUR.test(said.stderr)).toBe(expected);
  });

  it('shows no colours in a file or a pipe, and nothing that moves', () => {
    const { reporter, said } = reporting();
    reporter.status(AWAITING, PROGRESS);
    reporter.status(AWAITING, PROGRESS);
    reporter.failure(failure('code_rejected', 'token'), 4);
    expect(said.stderr).not.toContain(ESCAPE);
    expect(said.stderr.match(/Waiting for you/g)).toHaveLength(1);
  });

  it.each([{ TERM: 'dumb' }, { CI: 'true' }])('does not move at a terminal with %j', (env) => {
    const { reporter, said } = reporting({ columns: 100, env: env as Record<string, string> });
    reporter.status(AWAITING, PROGRESS);
    reporter.stop();
    expect(said.stderr).not.toMatch(MOVEMENT);
  });

  it('keeps to plain letters on a terminal that has no others', () => {
    const { reporter, said } = reporting({ columns: 100, env: { TERM: 'linux', NO_COLOR: '1' } });
    reporter.failure(failure('code_rejected', 'token'), 4);
    reporter.status(AWAITING, PROGRESS);
    reporter.stop();
    expect([...said.stderr].filter((character) => character > '~')).toEqual([]);
  });
});

describe('the log of --verbose', () => {
  it('goes to stderr, one record a line', () => {
    const { reporter, said } = reporting();
    reporter.configure({ verbose: true, opensBrowser: true });
    reporter.log({
      level: 'info',
      event: 'request',
      atEpochMs: 1_767_225_600_123,
      status: 200,
      url: 'https://as.example/token',
      skipped: undefined,
    });
    expect(said.stderr).toBe('  00:00:00.123 info  request status=200 url=https://as.example/token\n');
    expect(said.stdout).toBe('');
  });

  it('is not shown unless it is asked for (SEC-05 at the command line)', () => {
    const { reporter, said } = reporting();
    reporter.log({ level: 'error', event: 'request', atEpochMs: 0 });
    expect(said.stderr).toBe('');
  });
});

describe('a login at a terminal', () => {
  it('keeps movement on stderr and the result on stdout', async () => {
    const { command } = await surroundings();
    const { exitCode, stdout, stderr } = await command('login', [], { columns: 100 });
    expect(exitCode).toBe(0);
    expect(stripVTControlCharacters(stderr)).toContain('Back from the browser');
    expect(stdout).not.toMatch(MOVEMENT);
    expect(stripVTControlCharacters(stdout)).toContain('✓ Signed in');
  });
});
