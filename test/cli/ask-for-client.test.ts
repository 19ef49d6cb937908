import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { surroundings } from './signed-in.ts';

const REGISTERED_BY_HAND = {
  authorizationServer: {
    registration: false,
    clients: [{ client_id: 'typed-in', client_secret: 'SECRET-of-typed-in', redirect_uris: ['http://127.0.0.1/callback'] }],
  },
};
const env = { AUTHCHART_CLIENT_SECRET: 'SECRET-of-typed-in' };

function keyboard(): PassThrough {
  return Object.assign(new PassThrough(), { isTTY: true });
}

describe('where nobody can register by itself', () => {
  it.each(['login', 'fetch'])('%s asks the person at the terminal for a client identifier, and goes on', async (command) => {
    const around = await surroundings(REGISTERED_BY_HAND);
    const stdin = keyboard();
    let typed = false;
    const { exitCode, stderr } = await around.command(command, [], {
      stdin,
      env,
      columns: 100,
      onOutput(running) {
        if (typed || !running.stderr.includes('enter its client identifier: ')) return;
        typed = true;
        stdin.write('\n  typed-in \n');
      },
    });
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`${around.servers.authorizationServer.issuer} offers no way to register by itself.`);
    expect(around.servers.violations).toEqual([]);
  });

  it('remembers the identifier', async () => {
    const { command } = await surroundings(REGISTERED_BY_HAND);
    const stdin = keyboard();
    stdin.write('typed-in\n');
    await command('login', [], { stdin, env, columns: 100 });
    await command('logout');
    expect((await command('login')).exitCode).toBe(0);
  });

  it('gives up with 2 when the input ends', async () => {
    const { command } = await surroundings(REGISTERED_BY_HAND);
    const stdin = keyboard();
    stdin.end();
    const { exitCode, stderr } = await command('login', [], { stdin, columns: 100 });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('No client identifier was entered.');
  });

  it('takes --client-id on the next run after nobody could be asked', async () => {
    const { command } = await surroundings(REGISTERED_BY_HAND);
    expect((await command('login', ['--json'])).exitCode).toBe(3);
    expect((await command('login', ['--client-id', 'typed-in'], { env })).exitCode).toBe(0);
  });
});
