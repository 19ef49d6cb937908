import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { type IntegrationTarget, integrationTarget, ownTarget } from './integration-target.ts';

const VITEST = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')));
const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** `npm test -- test/gateway/integration.test.ts` with these variables, as somebody with a server would run it. */
function runIntegrationTests(variables: Readonly<Record<string, string>>): Promise<{ exitCode: number | null; output: string }> {
  const { VITEST: _, VITEST_WORKER_ID: _id, VITEST_POOL_ID: _pool, ...environment } = process.env;
  const child = spawn(process.execPath, [VITEST, 'run', 'test/gateway/integration.test.ts'], {
    cwd: PROJECT,
    env: { ...environment, NO_COLOR: '1', ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve) => child.once('close', (exitCode) => resolve({ exitCode, output })));
}

const variablesOf = ({ url, tokens: [one, two] }: IntegrationTarget) => ({
  MCP_SERVER_URL: url,
  MCP_TEST_AUTH_TOKEN: one,
  MCP_TEST_AUTH_TOKEN_2: two,
});

it('the integration tests run against the server and tokens of the environment, and fail where those are no good (GWY-15)', {
  timeout: 60_000,
}, async () => {
  const target = await ownTarget();
  onTestFinished(() => target.close());
  const good = await runIntegrationTests(variablesOf(target));
  expect(good.output).toMatch(/^7 passed, 0 failed$/m);
  expect(good.exitCode).toBe(0);
  for (const token of target.tokens) expect(good.output).not.toContain(token);

  // Somebody has swapped a token for one that is none: what needs it fails, and the rest still says what it found.
  const bad = await runIntegrationTests({ ...variablesOf(target), MCP_TEST_AUTH_TOKEN_2: 'no-token-at-all' });
  expect(bad.output).toMatch(/^4 passed, 3 failed$/m);
  expect(bad.exitCode).toBe(1);
});

it.each([
  [{ MCP_SERVER_URL: 'https://mcp.example.com/mcp' }, /^Set MCP_TEST_AUTH_TOKEN and MCP_TEST_AUTH_TOKEN_2, too/],
  [{ MCP_TEST_AUTH_TOKEN: 'a', MCP_TEST_AUTH_TOKEN_2: 'b' }, /^Set MCP_SERVER_URL, too/],
  [{ MCP_SERVER_URL: 'https://mcp.example.com/mcp', MCP_TEST_AUTH_TOKEN: 'a', MCP_TEST_AUTH_TOKEN_2: 'a' }, /are the same/],
])('half of the variables is a mistake that is named, and nothing else is tested in their place (GWY-15)', async (environment, message) => {
  await expect(integrationTarget(environment)).rejects.toThrow(message);
});
