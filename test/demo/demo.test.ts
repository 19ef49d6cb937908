import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const DEMO = fileURLToPath(new URL('./demo.ts', import.meta.url));

function runDemo(...parameters: readonly string[]): Promise<{ exitCode: number | null; output: string; errors: string }> {
  const child = spawn(process.execPath, [DEMO, ...parameters], { env: { ...process.env, NO_COLOR: '1' } });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise((resolve) => child.once('close', (exitCode) => resolve({ exitCode, output, errors })));
}

it('logs in, calls a tool, steps up and refreshes on real servers, without a browser', { timeout: 60_000 }, async () => {
  const { exitCode, output, errors } = await runDemo('--headless');
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

it('names its options when it does not know one, and when asked', async () => {
  const unknown = await runDemo('--hedless');
  expect(unknown.errors).toMatch(/^Unknown option '--hedless'.*\n\nnpm run demo .*\n.*--headless .*\n.*--serve /);
  expect(unknown.errors).not.toContain('demo.ts');
  expect(unknown.exitCode).toBe(2);
  const asked = await runDemo('--help');
  expect(asked.output).toContain('--headless');
  expect(asked.exitCode).toBe(0);
});
