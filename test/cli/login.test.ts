import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runCommand, temporaryDirectory } from './run-command.ts';
import { surroundings } from './signed-in.ts';

describe('authchart login', () => {
  it('signs in: steps on stderr, the result on stdout', async () => {
    const { command, servers, url } = await surroundings();
    const { exitCode, stdout, stderr } = await command('login');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Signed in');
    expect(stdout).toContain(url);
    expect(stderr).toContain('Found the authorization server');
    expect(stderr).toContain('If it has not opened, go to:');
    expect(stderr).toContain('Access token received');
    expect(stderr).not.toContain('\u001B');
    expect(servers.violations).toEqual([]);
  });

  it('asks nobody when the login is stored already', async () => {
    const { command, servers } = await surroundings();
    await command('login');
    const requests = servers.requests.length;
    const again = await command('login');
    expect(again.exitCode).toBe(0);
    expect(servers.requests).toHaveLength(requests);
  });

  it('writes one JSON object a line; awaiting-user carries the authorization URL', async () => {
    const { command } = await surroundings();
    const { exitCode, lines, stderr } = await command('login', ['--json']);
    expect(exitCode).toBe(0);
    expect(stderr).toBe('');
    const waiting = lines.find(({ step }) => step === 'awaiting-user');
    expect(waiting).toMatchObject({ type: 'status', authorizationUrl: expect.stringMatching(/^http.*[?&]state=/) });
    expect(lines.at(-1)).toMatchObject({ type: 'result', command: 'login', step: 'authorized' });
  });

  it('shows where to go and starts no browser with --no-open', async () => {
    const { command, servers, approving } = await surroundings();
    const opened: string[] = [];
    let visited = false;
    const { exitCode, stderr } = await command('login', ['--no-open'], {
      parts: { openUrl: async (url) => void opened.push(url) },
      onOutput(running) {
        const url = /^http\S+authorize\S+$/m.exec(running.stderr)?.[0];
        if (url === undefined || visited) return;
        visited = true;
        void approving.openUrl?.(url);
      },
    });
    expect(exitCode).toBe(0);
    expect(opened).toEqual([]);
    expect(stderr).toContain(new URL(servers.authorizationServer.issuer).origin);
  });

  it('goes on waiting when no browser can be started, and says so', async () => {
    const { command, approving } = await surroundings();
    const { exitCode, stderr } = await command('login', [], {
      parts: {
        async openUrl(url) {
          void approving.openUrl?.(url);
          throw new Error('no display');
        },
      },
    });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('No browser could be started here');
  });

  it('takes a pasted address with --manual, after explaining a bare code', async () => {
    const { command, servers } = await surroundings();
    const stdin = new PassThrough();
    let pasted = false;
    const { exitCode, stderr } = await command('login', ['--manual'], {
      stdin,
      onOutput(running) {
        const url = /^http\S+authorize\S+$/m.exec(running.stderr)?.[0];
        if (url === undefined || pasted) return;
        pasted = true;
        void servers.approve(url).then((callback) => stdin.write(`a-bare-code\n${callback}\n`));
      },
    });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('The code alone is not enough');
  });

  it('ends with 4 and the reason when the user refuses', async () => {
    const { command, refusing } = await surroundings();
    const { exitCode, stdout, stderr } = await command('login', [], { parts: refusing });
    expect(exitCode).toBe(4);
    expect(stdout).toBe('');
    expect(stderr).toContain('The user refused the authorization.');
    expect(stderr).toContain('authorization_denied');
  });

  it('reports a failure as JSON with its exit code', async () => {
    const { command, refusing } = await surroundings();
    const { lines } = await command('login', ['--json'], { parts: refusing });
    expect(lines.at(-1)).toMatchObject({ type: 'error', exitCode: 4, code: 'authorization_denied', action: 'none' });
  });

  it('asks for the scopes of --scope, repeated or in quotes', async () => {
    const { command } = await surroundings();
    const { lines } = await command('login', ['--json', '--scope', 'a b', '--scope', 'c']);
    expect(lines.at(-1)).toMatchObject({ grantedScopes: ['a', 'b', 'c'] });
  });

  it('keeps accounts apart', async () => {
    const { command } = await surroundings();
    await command('login', ['--account', 'work']);
    expect((await command('status', ['--account', 'work'])).exitCode).toBe(0);
    expect((await command('status')).exitCode).toBe(3);
  });

  it('uses a client identifier with its secret from the environment', async () => {
    const { command } = await surroundings({
      authorizationServer: {
        registration: false,
        clients: [{ client_id: 'app', client_secret: 'SECRET-env', redirect_uris: ['http://127.0.0.1/callback'] }],
      },
    });
    const { exitCode } = await command('login', ['--client-id', 'app'], {
      env: { AUTHCHART_CLIENT_SECRET: 'SECRET-env' },
    });
    expect(exitCode).toBe(0);
  });

  it('uses a client identifier with its secret from a file', async () => {
    const { command } = await surroundings({
      authorizationServer: {
        registration: false,
        clients: [{ client_id: 'app', client_secret: 'SECRET-file', redirect_uris: ['http://127.0.0.1/callback'] }],
      },
    });
    const file = join(await temporaryDirectory(), 'secret');
    await writeFile(file, 'SECRET-file\n');
    expect((await command('login', ['--client-id', 'app', '--client-secret-file', file])).exitCode).toBe(0);
  });

  it('says with 3 that a client identifier is needed where nobody can be asked', async () => {
    const { command } = await surroundings({ authorizationServer: { registration: false } });
    const { exitCode, stderr } = await command('login');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('client_identifier_required');
  });

  it('gives up with 124 when the time of --timeout is over, and leaves nothing waiting', async () => {
    const { command } = await surroundings();
    const { exitCode, stderr } = await command('login', ['--timeout', '0.2', '--no-open']);
    expect(exitCode).toBe(124);
    expect(stderr).toContain('Gave up after 0.2 seconds.');
    expect((await command('status')).stdout).toContain('Not signed in');
  });

  it('ends with 130 on an interrupt, cancels the flow and leaves nothing waiting', async () => {
    const { command } = await surroundings();
    let interrupted = false;
    const { exitCode, stderr } = await command('login', ['--no-open'], {
      onOutput(running) {
        if (interrupted || !running.stderr.includes('Waiting for you to approve')) return;
        interrupted = true;
        running.interrupt();
      },
    });
    expect(exitCode).toBe(130);
    expect(stderr).toContain('Interrupted.');
    expect((await command('status')).stdout).toContain('Not signed in');
  });

  it('refuses a resource that is no URL, with 2', async () => {
    const { exitCode, stderr } = await runCommand(['login', 'mcp.example.com']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('The resource must be an http or https URL');
  });
});
