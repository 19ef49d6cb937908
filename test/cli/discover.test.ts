import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { CommandLineParts } from '../../src/cli/parts.ts';
import { diagnosisText } from '../../src/cli/report/diagnosis-text.ts';
import { type Style, styleOf } from '../../src/cli/report/style.ts';
import type { Diagnosis } from '../../src/diagnosis.ts';
import type { ServerUrlExceptions } from '../../src/options.ts';
import { runCommand } from './run-command.ts';
import { surroundings } from './signed-in.ts';

const DIAGNOSIS: Diagnosis = {
  resource: 'https://mcp.example.com/mcp',
  verdict: 'broken',
  summary: 'Broken: the metadata names another issuer.',
  issuer: 'https://login.example.com',
  registration: 'dynamic',
  probes: [
    { document: 'resource', url: 'https://mcp.example.com/mcp', status: 401, durationMs: 41.6, verdict: 'found' },
    {
      document: 'resource-metadata',
      url: 'https://mcp.example.com/.well-known/oauth-protected-resource',
      status: 404,
      durationMs: 9,
      verdict: 'absent',
      reason: 'It answered 404.',
    },
    {
      document: 'server-metadata',
      url: 'https://login.example.com/.well-known/oauth-authorization-server',
      durationMs: 20_000,
      verdict: 'unavailable',
      reason: 'The connection was refused.',
    },
  ],
  findings: [{ level: 'error', rule: 'RFC 8414 section 3.3', text: 'The metadata names another issuer.' }],
};

const plainStyle = (columns?: number): Style => {
  const stream = Object.assign(new PassThrough(), columns === undefined ? {} : { isTTY: true, columns });
  return styleOf(stream, { NO_COLOR: '1', TERM: 'xterm' });
};

describe('authchart discover', () => {
  it('lists every probe in a table, then says the verdict in words, and ends with 0 when clients can sign in', async () => {
    const { command, url, servers } = await surroundings();
    const { exitCode, stdout, stderr } = await command('discover');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/Document +Answer +Time +Verdict +Address/);
    expect(stdout).toMatch(new RegExp(`Resource +401 +\\d+ ms +✓ found +${url}`));
    expect(stdout).toContain(`${servers.authorizationServer.issuer}/.well-known/oauth-authorization-server`);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^[✓▲] (Ready|Usable): /);
    expect(stderr).toBe('');
  });

  it('ends with 6 where clients cannot sign in, and says which rule is broken', async () => {
    const { command } = await surroundings({ authorizationServer: { codeChallengeMethods: ['plain'] } });
    const { exitCode, stdout } = await command('discover');
    expect(exitCode).toBe(6);
    expect(stdout).toMatch(/✗ .*PKCE/s);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^✗ Broken: /);
  });

  it('writes the diagnosis as JSON', async () => {
    const { lines, exitCode } = await runCommand(['discover', 'https://mcp.example.com/mcp', '--json'], {
      parts: { discover: async () => DIAGNOSIS },
    });
    expect(exitCode).toBe(6);
    expect(lines).toEqual([{ type: 'result', command: 'discover', ...DIAGNOSIS }]);
  });

  it.each([
    ['ready', 0],
    ['usable', 0],
    ['open', 0],
    ['broken', 6],
    ['unavailable', 5],
  ] as const)('ends a verdict of %s with %i', async (verdict, expected) => {
    const { exitCode } = await runCommand(['discover', 'https://mcp.example.com/mcp'], {
      parts: { discover: async () => ({ ...DIAGNOSIS, verdict }) },
    });
    expect(exitCode).toBe(expected);
  });

  it('shows which places a server has no business naming, and goes there only if it is told to (SEC-03)', async () => {
    const inner = 'https://169.254.169.254';
    const { command } = await surroundings({ resource: { authorizationServers: [inner] } });
    const { exitCode, stdout } = await command('discover');
    expect(exitCode).toBe(6);
    expect(stdout).toMatch(/✗ refused +https:\/\/169\.254\.169\.254\//);
    expect(stdout).toContain('169.254.169.254 is a link-local address');

    const allowed: unknown[] = [];
    const discover: CommandLineParts['discover'] = async ({ serverUrls }) => {
      const { except } = serverUrls as ServerUrlExceptions;
      for (const url of [`${inner}/token`, 'https://169.254.169.254:8443/token', 'https://10.0.0.5/token'])
        allowed.push(except?.(new URL(url), 'token'));
      return DIAGNOSIS;
    };
    await command('discover', ['--allow-origin', `${inner}:443/any`, '--allow-origin', 'https://10.0.0.5'], { parts: { discover } });
    expect(allowed).toEqual([true, false, true]);
    expect((await command('discover', ['--allow-origin', '10.0.0.5'])).exitCode).toBe(2);
  });

  it('ends with 5 where nothing answers: no rule is broken, and it may succeed later', async () => {
    const { command, servers } = await surroundings();
    await servers.close();
    const { exitCode, stdout } = await command('discover');
    expect(stdout).toContain('The connection was refused (ECONNREFUSED).');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      '▲ Nothing answered: see that the server runs, and that the URL and the network are right, then try again.',
    );
    expect(exitCode).toBe(5);
  });

  it('ends with 130 when it is interrupted while a server is silent', async () => {
    const { exitCode } = await runCommand(['discover', 'https://mcp.example.com/mcp'], {
      parts: {
        discover: ({ signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      },
      onStart: (running) => setImmediate(running.interrupt),
    });
    expect(exitCode).toBe(130);
  });
});

describe('the table', () => {
  it('shows why a document is not usable under its address', () => {
    const text = diagnosisText(DIAGNOSIS, plainStyle());
    expect(text).toMatch(/• absent +https:\/\/mcp\.example\.com\/\.well-known\/oauth-protected-resource\n +└ It answered 404\./);
    expect(text).toMatch(/none +20000 ms +▲ unavailable/);
    expect(text).toContain('✗ The metadata names another issuer. [RFC 8414 section 3.3]');
    expect(text.trimEnd().endsWith('\n✗ Broken: clients cannot sign in, for the reason above.')).toBe(true);
  });

  it('says a reason once, with the finding, and is no wider than its addresses need where there is no terminal', () => {
    const [resource] = DIAGNOSIS.probes;
    const url = 'https://mcp.example.com/mcp';
    const reason = `It leads to another origin. ${'One word after another. '.repeat(12)}`.trim();
    const why = `It has no challenge. ${'Another word. '.repeat(20)}`.trim();
    const text = diagnosisText(
      {
        ...DIAGNOSIS,
        probes: [
          { document: 'resource', url, durationMs: 1, verdict: 'unavailable', reason },
          { ...resource, document: 'resource', url, durationMs: 1, verdict: 'absent', reason: why },
        ],
        findings: [{ level: 'error', rule: 'MCP', text: `${reason} (${url})` }],
      },
      plainStyle(),
    );
    expect(text.split('It leads to another origin.')).toHaveLength(2);
    const drawn = text.split('\n').find((line) => line.startsWith('──'));
    expect(drawn?.length).toBe(100);
  });

  it.each([60, 80, 100, 140])('fits a terminal of %i columns', (columns) => {
    const lines = diagnosisText(DIAGNOSIS, plainStyle(columns)).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
  });

  it('keeps an address in one piece in 80 columns', () => {
    expect(diagnosisText(DIAGNOSIS, plainStyle(80))).toContain('\nhttps://login.example.com/.well-known/oauth-authorization-server\n');
  });

  it('cannot be made to draw by what a server sends (TOK-04 in the table)', () => {
    const hostile = {
      ...DIAGNOSIS,
      issuer: 'https://x/\u001B[2J',
      probes: DIAGNOSIS.probes.map((probe) => ({ ...probe, reason: '\u001B]0;x\u0007' })),
    };
    expect(diagnosisText(hostile, plainStyle(80))).not.toContain('\u001B');
  });
});
