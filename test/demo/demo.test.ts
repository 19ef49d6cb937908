import { expect, it, onTestFinished } from 'vitest';
import { createAuthorizationClient } from '../../src/client.ts';
import { loopback } from '../../src/user-agents/loopback.ts';
import { approveWithoutBrowser } from '../fixtures/browserless-user.ts';
import { runDemo, serveDemo } from './run-demo.ts';

it('logs in, calls a tool, steps up and refreshes on real servers, without a browser', { timeout: 60_000 }, async () => {
  const { exitCode, output, errors } = await runDemo('demo.ts', '--headless');
  expect(errors).toBe('');
  const steps = [...output.matchAll(/^ {3}✓ (.*?)(?: \d+ ms| answered|$)/gm)].map(([, step]) => step?.replace(/ http:\S+/, ''));
  expect(steps).toEqual([
    'looked into the store',
    'discovered the authorization server',
    'registered the client dynamic',
    'prepared the authorization request weather:read offline_access',
    'the user came back',
    'exchanged the code for tokens weather:read',
    'read_weather',
    expect.stringContaining('found out which scopes are missing'),
    'discovered the authorization server',
    'found the stored registration',
    'prepared the authorization request weather:read offline_access alarm:write',
    'the user came back',
    'exchanged the code for tokens weather:read alarm:write',
    'set_alarm',
    'refreshed the access token weather:read alarm:write',
    'read_weather',
  ]);
  expect(output).toContain('The user was asked 2 times, the token refreshed 1 time.');
  expect(output.trimEnd()).toMatch(/The tool's answer: Sunny in Lisbon, 24 °C\.$/);
  expect(exitCode).toBe(0);
});

it('serves until Ctrl-C, and a client signs in with the registration that it prints (REG-01)', { timeout: 60_000 }, async () => {
  const demo = await serveDemo('demo.ts', /preregistered: .*\n/);
  const [, resource = ''] = /all right +npx authchart discover (\S+)/.exec(demo.output) ?? [];
  const [, redirectUri = ''] = /redirect URI ([^,\s]+)/.exec(demo.output) ?? [];
  const [, issuer = '', client_id = ''] = /preregistered: \[\{ issuer: '(.+)', client_id: '(.+)' \}\],\n/.exec(demo.output) ?? [];
  const client = createAuthorizationClient({
    resource,
    clientMetadata: { redirect_uris: [redirectUri] },
    preregistered: [{ issuer, client_id }],
    userAgent: loopback({ openUrl: async (url) => void approveWithoutBrowser(url).then(fetch) }),
  });
  onTestFinished(() => client.close());
  await expect(client.authorize()).resolves.toMatchObject({ step: 'authorized', issuer, registration: 'preregistered' });
  expect(await demo.interrupt()).toMatchObject({ exitCode: 0, errors: '' });
});

it('names its options when it does not know one, and when asked', async () => {
  const unknown = await runDemo('demo.ts', '--hedless');
  expect(unknown.errors).toMatch(/^Unknown option '--hedless'.*\n\nnpm run demo .*\n.*--headless .*\n.*--serve /);
  expect(unknown.errors).not.toContain('demo.ts');
  expect(unknown.exitCode).toBe(2);
  const asked = await runDemo('demo.ts', '--help');
  expect(asked.output).toContain('--headless');
  expect(asked.exitCode).toBe(0);
});
