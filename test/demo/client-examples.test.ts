/** Runs the examples of a client as they stand, against a real authorization server and a real MCP server. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { approveWithoutBrowser } from '../fixtures/browserless-user.ts';
import { MCP_SCOPES, startMcpResource } from '../fixtures/mcp-resource.ts';
import { startOidcProvider } from '../fixtures/oidc-provider.ts';
import { caughtConsole } from '../helpers/caught-console.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const FROM_SOURCE = new URL('../helpers/authchart-from-source.ts', import.meta.url).href;

function running(example: string, resource: string, home: string, changed: NodeJS.ProcessEnv = {}) {
  const path = fileURLToPath(new URL(`../../docs/examples/${example}`, import.meta.url));
  // Where the examples keep logins, on each operating system.
  const env = { ...process.env, HOME: home, XDG_STATE_HOME: home, LOCALAPPDATA: home, ...changed };
  const child = spawn(process.execPath, ['--import', FROM_SOURCE, path, resource], { env, stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Resolves with the first address that it shows to open, after these words. */
async function shownAddress(stderr: AsyncIterable<Buffer>, words: RegExp): Promise<string> {
  let shown = '';
  for await (const piece of stderr) {
    shown += piece;
    const address = words.exec(shown)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error(`It showed no address: ${shown}`);
}

describe('the examples of a client', () => {
  it('sign in by a pasted address, and list the tools of the server with that login (FET-12)', async () => {
    caughtConsole();
    const home = await temporaryDirectory();
    const provider = await startOidcProvider({ scopes: Object.values(MCP_SCOPES) });
    onTestFinished(() => provider.close());
    const server = await startMcpResource({ issuer: provider.issuer });
    onTestFinished(() => server.close());

    const login = running('watch-a-login.ts', server.url, home);
    const told = text(login.stdout);
    const address = await shownAddress(login.stderr.iterator({ destroyOnReturn: false }), /in a browser, on any device:\n\n(\S+)\n/);
    login.stdin.write(`${await approveWithoutBrowser(address)}\n`);
    login.stderr.resume();
    const [exitCode] = await once(login, 'close');
    expect([exitCode, await told]).toEqual([0, expect.stringMatching(/^Authorized for .*weather:read/)]);

    const client = running('mcp-sdk-client.ts', server.url, home);
    client.stderr.pipe(process.stderr);
    expect(await text(client.stdout)).toBe('read_weather\nset_alarm\n');
  });

  it('tell where to approve when there is no browser to open (OBS-02)', async () => {
    caughtConsole();
    const provider = await startOidcProvider({ scopes: Object.values(MCP_SCOPES) });
    onTestFinished(() => provider.close());
    const server = await startMcpResource({ issuer: provider.issuer });
    onTestFinished(() => server.close());

    // Nothing that could open an address is found.
    const client = running('mcp-sdk-client.ts', server.url, await temporaryDirectory(), { PATH: '', DISPLAY: '', WAYLAND_DISPLAY: '' });
    const told = text(client.stdout);
    const address = await shownAddress(client.stderr.iterator({ destroyOnReturn: false }), /^Approve at (\S+)\n/m);
    const afterwards = text(client.stderr);
    await fetch(await approveWithoutBrowser(address));
    expect([await told, await afterwards]).toEqual(['read_weather\nset_alarm\n', 'exchanging\nauthorized\n']);
  });
});
