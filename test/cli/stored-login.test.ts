import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/clock.ts';
import { surroundings } from './signed-in.ts';

/** Pauses between tries take no time; a lease is renewed as ever, or it would run out at once. */
const later = (durationMs: number): Clock => ({
  now: () => Date.now() + durationMs,
  sleep: async (pauseMs, signal, options) => {
    if (options?.background === true) await systemClock.sleep(pauseMs, signal, options);
  },
});
/** The access token of the test has expired. */
const twoHoursLater = later(7_200_000);
/** Of a token that lives ten seconds, most is over. */
const eightSecondsLater = later(8_000);

describe('authchart token', () => {
  it('prints the access token and nothing else on stdout', async () => {
    const { command, servers } = await surroundings();
    await command('login');
    const { exitCode, stdout, stderr } = await command('token');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^SECRET-access-token\S+\n$/);
    expect(servers.markers.secrets.has(stdout.trim())).toBe(true);
    expect(stderr).toBe('');
  });

  it('says with 3 that nobody is signed in, and opens no browser', async () => {
    const { command } = await surroundings();
    const opened: string[] = [];
    const { exitCode, stdout, stderr } = await command('token', [], { parts: { openUrl: async (url) => void opened.push(url) } });
    expect(exitCode).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toContain('Nobody is signed in to this resource.');
    expect(opened).toEqual([]);
  });

  it('refreshes a token that is about to expire', async () => {
    const { command, servers } = await surroundings({ authorizationServer: { accessTokenSeconds: 10 } });
    await command('login');
    const before = servers.requestsFor('token').length;
    const first = await command('token', [], { parts: { clock: eightSecondsLater } });
    expect(first.exitCode).toBe(0);
    expect(servers.requestsFor('token').length).toBe(before + 1);
    expect(servers.violations).toEqual([]);
  });

  it('says with 3 that nobody is signed in when the refresh token is no longer good, and leaves nothing waiting', async () => {
    const { command, servers } = await surroundings({ authorizationServer: { accessTokenSeconds: 10 } });
    await command('login');
    servers.respond('token', () => Response.json({ error: 'invalid_grant' }, { status: 400 }));
    const { exitCode, stdout } = await command('token', [], { parts: { clock: eightSecondsLater } });
    expect(exitCode).toBe(3);
    expect(stdout).toBe('');
    expect((await command('status')).stdout).toContain('Not signed in');
    expect((await command('login')).exitCode).toBe(0);
  });

  it('keeps the login with 5 when the authorization server is down', async () => {
    const { command, servers } = await surroundings();
    await command('login');
    const override = servers.respond('token', 503, { times: 99 });
    const parts = { clock: twoHoursLater };
    const { exitCode, stderr } = await command('token', [], { parts });
    expect(exitCode).toBe(5);
    expect(stderr).toContain('server_unavailable');
    override.remove();
    expect((await command('token', [], { parts })).exitCode).toBe(0);
  });

  it('writes the token with its facts as JSON', async () => {
    const { command } = await surroundings();
    await command('login', ['--scope', 'a']);
    const { lines } = await command('token', ['--json']);
    expect(lines.at(-1)).toMatchObject({
      type: 'result',
      command: 'token',
      tokenType: 'Bearer',
      scopes: ['a'],
      accessToken: expect.stringMatching(/^SECRET-/),
    });
  });
});

describe('authchart status', () => {
  it('shows the stored login without asking a server', async () => {
    const { command, servers, url } = await surroundings();
    await command('login', ['--scope', 'files:read']);
    const requests = servers.requests.length;
    const { exitCode, stdout, stderr } = await command('status');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Signed in');
    expect(stdout).toContain(url);
    expect(stdout).toContain(servers.authorizationServer.issuer);
    expect(stdout).toMatch(/Scopes +files:read\n/);
    expect(stdout).toMatch(/Access token +valid for/);
    expect(stderr).toBe('');
    expect(servers.requests).toHaveLength(requests);
  });

  it('ends with 3 where nobody is signed in', async () => {
    const { command, servers } = await surroundings();
    const { exitCode, stdout } = await command('status');
    expect(exitCode).toBe(3);
    expect(stdout).toContain('Not signed in');
    expect(servers.requests).toEqual([]);
  });

  it('writes the status as JSON', async () => {
    const { command, url } = await surroundings();
    await command('login');
    const { lines } = await command('status', ['--json']);
    expect(lines.at(-1)).toMatchObject({ type: 'result', command: 'status', step: 'authorized', resource: url, account: 'default' });
  });
});

describe('authchart logout', () => {
  it('forgets the login and keeps the registration', async () => {
    const { command, servers } = await surroundings();
    await command('login');
    const { exitCode, stdout } = await command('logout');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Signed out of');
    expect((await command('token')).exitCode).toBe(3);
    await command('login');
    expect(servers.requestsFor('registration')).toHaveLength(1);
  });

  it('forgets the registration too when asked to', async () => {
    const { command, servers } = await surroundings();
    await command('login');
    await command('logout', ['--forget-registration']);
    await command('login');
    expect(servers.requestsFor('registration')).toHaveLength(2);
  });

  it('is no mistake where nobody is signed in', async () => {
    const { command } = await surroundings();
    const { exitCode, stdout } = await command('logout');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Nobody was signed in to');
    expect((await command('logout', ['--json'])).lines.at(-1)).toMatchObject({ command: 'logout', wasSignedIn: false });
  });
});
