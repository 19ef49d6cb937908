import { expect, it } from 'vitest';
import { startGatewayProcess } from './gateway-process.ts';
import { runDemo } from './run-demo.ts';

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

it('says what the gateway said where it does not start', async () => {
  const starting = startGatewayProcess(['--resource', 'https://mcp.example.com/mcp'], { OIDC_CLIENT_SECRET: 'hunter2-hunter2' });
  await expect(starting).rejects.toThrow(/^The gateway has ended with exit code 2\.\n[\s\S]*--backend/);
});

it('names its options when it does not know one, and when asked', async () => {
  const unknown = await runDemo('gateway-demo.ts', '--hedless');
  expect(unknown.errors).toMatch(/^Unknown option '--hedless'.*\n\nnpm run demo:gateway .*\n.*--headless /);
  expect(unknown.exitCode).toBe(2);
  const asked = await runDemo('gateway-demo.ts', '--help');
  expect([asked.output, asked.exitCode]).toEqual([expect.stringContaining('--headless'), 0]);
});
