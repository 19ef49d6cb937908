import { existsSync } from 'node:fs';
import { chmod, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { localServer } from '../helpers/local-server.ts';
import { called, gatewaySurroundings, openMcpServer, STDIO_SERVER, signedInClient, startGateway } from './gateway-scene.ts';
import { runCommand, temporaryDirectory } from './run-command.ts';

describe('authchart gateway', () => {
  it('puts a login in front of an MCP server, for the official client, and ends in order (GWY-01)', async () => {
    const surroundings = await gatewaySurroundings();
    const backend = await openMcpServer();
    const gateway = await startGateway([...surroundings.argv, '--backend', backend.url, '--verbose'], surroundings.env);
    expect(gateway.said.stderr).toContain(`${surroundings.origin}/oauth/callback`);
    expect(gateway.said.stderr).toContain('they end with this process');

    const { client, authProvider } = await signedInClient(surroundings);
    const result = await client.callTool({ name: 'read_weather', arguments: { city: 'Oslo' } });
    expect(result.content).toEqual([{ type: 'text', text: 'Sunny in Oslo, 24 °C.' }]);

    gateway.child.kill('SIGTERM');
    const { exitCode, stdout, stderr } = await gateway.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain('Ended.');
    expect(stderr).toMatch(/request method=POST path=\/mcp status=200/);
    expect(backend.seen.every((headers) => headers.get('authorization') === null)).toBe(true);
    expect(backend.seen.every((headers) => headers.get('x-authchart-subject') === 'demo')).toBe(true);
    const { access_token = '', refresh_token = '' } = authProvider.tokens() ?? {};
    for (const secret of [surroundings.env['OIDC_CLIENT_SECRET'] ?? '', access_token, refresh_token]) {
      expect(secret).not.toBe('');
      expect(`${stdout}${stderr}`).not.toContain(secret);
    }
  });

  it('gives the backend the upstream token where that is asked for, and lets clients in again after a kill with keys of its own (GWY-08)', async () => {
    const surroundings = await gatewaySurroundings();
    const backend = await openMcpServer();
    const argv = [...surroundings.argv, '--backend', backend.url, '--backend-token', 'upstream', '--token-format', 'opaque', '--json'];
    const first = await startGateway(argv, surroundings.env);
    const { client } = await signedInClient(surroundings);
    await client.callTool({ name: 'read_weather', arguments: { city: 'Oslo' } });
    const [scheme, token = ''] = backend.seen.at(-1)?.get('authorization')?.split(' ') ?? [];
    expect(scheme).toBe('Bearer');
    expect(JSON.parse(atob(token.split('.')[1] ?? ''))).toMatchObject({ iss: surroundings.provider.issuer });
    first.child.kill('SIGKILL');
    expect((await first.ended).signal).toBe('SIGKILL');

    await startGateway(argv, surroundings.env);
    const again = await signedInClient(surroundings);
    const result = await again.client.callTool({ name: 'read_weather', arguments: { city: 'Bergen' } });
    expect(result.content).toEqual([{ type: 'text', text: 'Sunny in Bergen, 24 °C.' }]);
  });

  it('gives a stdio server a process for each session, without secrets, and ends it (GWY-01)', async () => {
    const surroundings = await gatewaySurroundings();
    const gateway = await startGateway([...surroundings.argv, '--verbose', '--', process.execPath, STDIO_SERVER], surroundings.env);
    const { client, authProvider, transport } = await signedInClient(surroundings);
    const who = (await called(client, 'who')) as { readonly pid: number; readonly variables: readonly string[] };
    expect(who).toMatchObject({ subject: 'demo', issuer: surroundings.origin, scopes: 'weather:read alarm:write' });
    expect(who.variables).not.toContain('OIDC_CLIENT_SECRET');
    expect(transport.sessionId).toBeDefined();
    await called(client, 'grumble');

    gateway.child.kill('SIGINT');
    const { exitCode, stderr } = await gateway.ended;
    expect(exitCode).toBe(0);
    expect(stderr).toContain('grumbling');
    expect(stderr).not.toContain(authProvider.tokens()?.access_token);
    expect(() => process.kill(who.pid, 0)).toThrow(/ESRCH/);
  });

  it('serves clients that sign in at the identity provider themselves, and names it to them (GWY-02, GWY-13)', async () => {
    const { origin, resource, provider } = await gatewaySurroundings();
    const argv = ['gateway', '--resource', resource, '--issuer', provider.issuer, '--backend', 'http://127.0.0.1:9/mcp', '--json'];
    const gateway = await startGateway(argv, {});
    const refused = await fetch(resource, { method: 'POST' });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain(`${origin}/.well-known/oauth-protected-resource/mcp`);
    const metadata = await (await fetch(`${origin}/.well-known/oauth-protected-resource/mcp`)).json();
    expect(metadata).toMatchObject({ resource, authorization_servers: [provider.issuer] });
    gateway.child.kill('SIGTERM');
    const { exitCode, stdout, stderr } = await gateway.ended;
    expect(stderr).toBe('');
    const types = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly type: string }).type);
    expect([exitCode, types[0], types.at(-1)]).toEqual([0, 'listening', 'stopped']);
    expect(types).not.toContain('log');
  });

  it('writes a JSON line for each request with --verbose, and warnings without it (GWY-01, OBS-04)', async () => {
    const { resource, provider } = await gatewaySurroundings();
    const argv = ['gateway', '--resource', resource, '--issuer', provider.issuer, '--backend', 'http://127.0.0.1:9/mcp', '--json'];
    const logged = async (...more: readonly string[]): Promise<readonly unknown[]> => {
      const gateway = await startGateway([...argv, '--allow-anonymous', ...more], {});
      expect((await fetch(resource, { method: 'POST' })).status).toBe(502);
      gateway.child.kill('SIGTERM');
      const lines = (await gateway.ended).stdout.trim().split('\n');
      const records = lines.map((line) => JSON.parse(line) as { readonly type: string; readonly record: { readonly event: string } });
      return records.filter(({ type }) => type === 'log').map(({ record }) => record.event);
    };
    expect(await logged()).toEqual(['backend-unreachable']);
    expect(await logged('--verbose')).toEqual(expect.arrayContaining(['backend-unreachable', 'request']));
  });

  it('starts although the identity provider is down, and says so (GWY-14)', async () => {
    const { resource } = await gatewaySurroundings();
    const argv = ['gateway', '--resource', resource, '--issuer', 'http://127.0.0.1:9', '--backend', 'http://127.0.0.1:10/mcp'];
    const gateway = await startGateway(argv, {});
    expect(gateway.said.stderr).toContain('The identity provider cannot be asked now');
    expect((await runCommand([...argv, '--check'])).exitCode).toBe(5);
  });

  it('lets a request under way end, takes no other, and ends (GWY-01, GWY-12)', async () => {
    const { argv, env, resource } = await gatewaySurroundings();
    let answer = (): void => {};
    let onAsked = (): void => {};
    const asked = new Promise<void>((resolve) => {
      onAsked = resolve;
    });
    const slow = await localServer((_request, response) => {
      answer = () => void response.end('at last');
      onAsked();
    });
    const gateway = await startGateway([...argv, '--backend', `${slow.origin}/mcp`, '--allow-anonymous'], env);
    expect(gateway.said.stderr).toContain('Requests without a token are served, as nobody.');
    const response = fetch(resource, { method: 'POST', body: '{}' });
    await asked;
    gateway.child.kill('SIGTERM');
    await expect.poll(() => gateway.said.stderr).toContain('Ending');
    await expect(fetch(resource, { method: 'POST', body: '{}' })).rejects.toThrow('fetch failed');
    answer();
    expect(await (await response).text()).toBe('at last');
    const { exitCode, stderr } = await gateway.ended;
    expect(exitCode).toBe(0);
    expect(stderr).toContain('✓ Ended.');
  });

  it('waits for the backend as long as it is told, and is healthy meanwhile (GWY-01)', async () => {
    const { argv, env, resource, origin } = await gatewaySurroundings();
    const silent = await localServer(() => {});
    await startGateway([...argv, '--backend', `${silent.origin}/mcp`, '--allow-anonymous', '--request-timeout', '0.5'], env);
    const asked = fetch(resource, { method: 'POST', body: '{}' });
    const health = await fetch(`${origin}/oauth/health`, { method: 'HEAD' });
    expect([health.status, health.headers.get('content-type'), await health.text()]).toEqual([200, 'application/json', '']);
    expect((await asked).status).toBe(504);
  });

  it('says that a port is taken (GWY-01)', async () => {
    const { argv, env } = await gatewaySurroundings();
    const taken = await localServer(() => {});
    const listen = new URL(taken.origin).host;
    const { exitCode, lines } = await runCommand([...argv, '--backend', 'http://127.0.0.1:9/mcp', '--listen', listen, '--json'], { env });
    expect(exitCode).toBe(5);
    expect(lines.at(-1)).toMatchObject({ type: 'error', code: 'port_in_use' });
  });

  it('checks and prints without starting anything (GWY-01)', async () => {
    const { argv, env, resource, provider } = await gatewaySurroundings();
    const { url } = await openMcpServer();
    const { exitCode, stderr } = await runCommand([...argv, '--check', '--backend', url], { env });
    expect(exitCode).toBe(0);
    for (const fact of ['The configuration is right', resource, provider.issuer, url, 'weather:read']) {
      expect(stderr).toContain(fact);
    }
    expect(stderr).toContain(', with a secret');
    const misspelt = await runCommand([...argv, '--check', '--backend', url], {
      env: { OIDC_CLIENT_SECERT: 'x' },
    });
    expect(misspelt.stderr).toContain(', without a secret (a public client)');
  });

  it.each([
    ['one without metadata', (issuer: string): string => `${issuer}/nobody`, 6, 'without /.well-known/…'],
    ['another spelling', (issuer: string): string => `${issuer}/`, 6, 'Let --issuer be what the metadata names'],
    ['one that nobody answers at', (): string => 'http://127.0.0.1:9', 5, 'See that --issuer is right'],
  ])('says what to do about an issuer that is wrong: %s (GWY-01)', async (_title, wrong, expectedCode, advice) => {
    const { argv, env, provider } = await gatewaySurroundings();
    const { exitCode, stderr } = await runCommand(
      [...argv, '--issuer', wrong(provider.issuer), '--check', '--backend', 'http://127.0.0.1:9/mcp'],
      { env },
    );
    expect(exitCode).toBe(expectedCode);
    expect(stderr).toContain('The identity provider (--issuer)');
    expect(stderr).toContain(advice);
  });

  it('reads a file, which variables win over, and flags over both; files it names lie beside it (GWY-14)', async () => {
    const { provider, resource, env } = await gatewaySurroundings();
    const directory = await temporaryDirectory();
    const config = join(directory, 'gateway.json');
    await writeFile(join(directory, 'secret'), `${env['OIDC_CLIENT_SECRET']}\n`, { mode: 0o600 });
    const settings = {
      resource: 'https://file.example/mcp',
      issuer: 'https://file.example',
      clientId: 'of the file',
      clientSecretFile: 'secret',
      backendCommand: [process.execPath, 'some server'],
    };
    await writeFile(config, JSON.stringify({ ...settings, scope: ['a', 'b'] }));
    const { exitCode, lines } = await runCommand(['gateway', '--config', config, '--issuer', provider.issuer, '--check', '--json'], {
      env: { OAUTH_RESOURCE_URL: resource, OIDC_ISSUER_URL: 'https://variable.example' },
    });
    expect(exitCode).toBe(0);
    expect(lines.at(-1)).toMatchObject({
      resource,
      issuer: provider.issuer,
      backend: `the command ${process.execPath}, with 1 argument`,
      scopes: ['a', 'b'],
    });
  });

  it('finds the validator and the program of a file beside it, wherever it is started (GWY-09, GWY-14)', async () => {
    const { argv, env } = await gatewaySurroundings();
    const directory = await temporaryDirectory();
    const config = join(directory, 'gateway.json');
    await writeFile(join(directory, 'validator.mjs'), 'export const create = () => ({ validate: () => Promise.reject(new Error()) });');
    await symlink(process.execPath, join(directory, 'my server'));
    for (const backendCommand of [['./my server', './file.js'], '"./my server" ./file.js']) {
      await writeFile(config, JSON.stringify({ validator: './validator.mjs:create', backendCommand }));
      const { exitCode, stdout, lines } = await runCommand([...argv, '--config', config, '--check', '--json'], { env });
      expect([exitCode, stdout]).toEqual([0, stdout]);
      expect(lines.at(-1)).toMatchObject({ backend: `the command ${join(directory, 'my server')}, with 1 argument` });
    }
    const { exitCode, lines } = await runCommand(
      [...argv, '--validator', './validator.mjs:create', '--check', '--json', '--', './my server'],
      { env },
    );
    expect(exitCode).toBe(2);
    expect(lines.at(-1)?.['message']).toContain('names the program ./my server, which is not there');
  });

  it('writes keys for its owner alone, and never over others (GWY-14)', async () => {
    const { argv, env } = await gatewaySurroundings();
    const out = join(await temporaryDirectory(), 'keys.json');
    expect((await runCommand(['gateway', 'keys', '--out', out])).exitCode).toBe(0);
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    const before = await readFile(out, 'utf8');
    expect((await runCommand(['gateway', 'keys', '--out', out])).exitCode).toBe(2);
    expect(await readFile(out, 'utf8')).toBe(before);
    const { url } = await openMcpServer();
    const withKeys = [...argv, '--check', '--backend', url, '--keys-file', out];
    expect((await runCommand(withKeys, { env })).stderr).not.toContain('▲ The file');
    await chmod(out, 0o644);
    expect((await runCommand(withKeys, { env })).stderr).toContain('can be read by other users');
    expect(existsSync(out)).toBe(true);
  });
});
