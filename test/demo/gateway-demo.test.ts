import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { runCommand } from '../cli/run-command.ts';
import { startGatewayProcess } from './gateway-process.ts';
import { runDemo, serveDemo } from './run-demo.ts';

it('puts the gateway in front of a server without login: the official client signs in, the server learns who calls, and the token ends (GWY-01, GWY-08)', {
  timeout: 60_000,
}, async () => {
  const { exitCode, output, errors } = await runDemo('gateway-demo.ts', '--headless');
  expect([errors, exitCode]).toEqual(['', 0]);
  const requests = [...output.matchAll(/^ {3}│ (client|browser) +(\S+) +(.+?) +(\/\S*) (\d+) \d+ ms$/gm)].map((found) =>
    found.slice(1, 6).join(' '),
  );
  // Where the client looks again after the login is the SDK's own affair.
  const told = requests.filter((request) => !request.includes('/.well-known/'));
  expect(told).toEqual([
    'client POST MCP server /mcp 200',
    'client POST MCP server /mcp 200',
    'client POST gateway /mcp 401',
    'client POST gateway /oauth/register 201',
    'browser GET gateway /oauth/authorize 200',
    'browser POST gateway /oauth/consent 303',
    'browser GET identity provider /auth 303',
    'browser GET identity provider /interaction/… 200',
    'browser POST identity provider /interaction/… 303',
    'browser GET identity provider /auth/… 303',
    'browser GET gateway /oauth/callback 303',
    'browser GET application /callback 200',
    'client POST gateway /oauth/token 200',
    'client POST gateway /mcp 200',
    'client POST gateway /mcp 200',
    'client POST gateway /oauth/revoke 200',
    'client POST gateway /mcp 401',
  ]);
  expect(output).toContain('Listening at http://127.0.0.1:');
  expect([...output.matchAll(/who_calls answered: (.*)$/gm)].map(([, who]) => who)).toEqual(['nobody knows who', 'demo (notes:read)']);
  expect(output.trimEnd()).toMatch(/Its caller: demo \(notes:read\)$/);
  expect(output).not.toMatch(/eyJ/);
});

it('serves until Ctrl-C what the gateway of the printed command needs, and takes the secret away at the end (GWY-01)', {
  timeout: 60_000,
}, async () => {
  const demo = await serveDemo('gateway-demo.ts', /npx authchart login .*\n/);
  const [, command = ''] = /^npx authchart (gateway(?:.*\\\n)+.*)$/m.exec(demo.output) ?? [];
  const argv = command.split(/[\s\\]+/);
  const given = (option: string): string => argv[argv.indexOf(option) + 1] ?? '';
  const { exitCode, stderr } = await runCommand([...argv, '--check']);
  expect([exitCode, stderr]).toEqual([
    0,
    expect.stringMatching(/The configuration is right[\s\S]*http:\/\/localhost:8080\/oauth\/callback/),
  ]);

  // What no check can see: the client is registered, with this callback URL and this secret.
  const [issuer, clientId, file] = [given('--issuer'), given('--client-id'), given('--client-secret-file')];
  const redirect_uri = 'http://localhost:8080/oauth/callback';
  const request = { client_id: clientId, redirect_uri, response_type: 'code', scope: 'openid', code_challenge_method: 'S256' };
  const asked = new URLSearchParams({ ...request, code_challenge: 'x'.repeat(43) });
  const sentOn = await fetch(`${issuer}/auth?${asked}`, { redirect: 'manual' });
  expect([sentOn.status, sentOn.headers.get('location')]).toEqual([303, expect.stringMatching(/^\/interaction\//)]);
  const spent = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${await readFile(file, 'utf8')}`)}` },
    body: new URLSearchParams({ grant_type: 'authorization_code', code: 'spent', redirect_uri, code_verifier: 'x'.repeat(43) }),
  });
  await expect(spent.json()).resolves.toMatchObject({ error: 'invalid_grant' });

  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await demo.interrupt()).toMatchObject({ exitCode: 0, errors: '' });
  expect(existsSync(file)).toBe(false);
});

it('says what the gateway said where it does not start', async () => {
  const starting = startGatewayProcess(['--resource', 'https://mcp.example.com/mcp'], { OIDC_CLIENT_SECRET: 'hunter2-hunter2' });
  await expect(starting).rejects.toThrow(/^The gateway has ended with exit code 2\.\n[\s\S]*--backend/);
});

it('names its options when it does not know one, and when asked', async () => {
  const unknown = await runDemo('gateway-demo.ts', '--hedless');
  expect(unknown.errors).toMatch(/^Unknown option '--hedless'.*\n\nnpm run demo:gateway .*\n.*--headless .*\n.*--serve /);
  expect(unknown.exitCode).toBe(2);
  const asked = await runDemo('gateway-demo.ts', '--help');
  expect([asked.output, asked.exitCode]).toEqual([expect.stringContaining('--headless'), 0]);
});
