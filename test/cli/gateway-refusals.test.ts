import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configure } from '../../src/cli/gateway/configure.ts';
import { makeKeysFile } from '../../src/cli/gateway/keys-file.ts';
import { openStore } from '../../src/cli/gateway/open-store.ts';
import { splitCommand } from '../../src/cli/gateway/split-command.ts';
import { systemClock } from '../../src/clock.ts';
import { openMcpServer } from './gateway-scene.ts';
import { runCommand, temporaryDirectory } from './run-command.ts';

const RIGHT = {
  '--resource': 'https://mcp.example.com/mcp',
  '--backend': 'http://127.0.0.1:3000/mcp',
  '--issuer': 'https://login.example.com',
  '--client-id': 'mcp',
};

/** An identity provider that nobody can be asked about. */
const WITHOUT_METADATA = {
  '--issuer': undefined,
  '--authorize-endpoint': 'https://login.example.com/a',
  '--token-endpoint': 'https://login.example.com/t',
  '--upstream-scope': 'email',
};

type Flags = Readonly<Record<string, string | true | undefined>>;

async function refusal(changes: Flags, { env = {}, after = [] }: { env?: Record<string, string>; after?: string[] } = {}) {
  const flags = Object.entries<string | true | undefined>({ ...RIGHT, ...changes }).flatMap(([flag, value]) =>
    value === undefined ? [] : value === true ? [flag] : [flag, value],
  );
  const { exitCode, stderr } = await runCommand(['gateway', ...flags, ...(after.length > 0 ? ['--', ...after] : [])], { env });
  expect(exitCode).toBe(2);
  return stderr;
}

describe('authchart gateway refuses', () => {
  it.each<readonly [title: string, changes: Flags, reason: string]>([
    ['a resource in the clear', { '--resource': 'http://mcp.example.com/mcp' }, '`--resource` must be the https URL'],
    ['a resource of this machine for others', { '--resource': 'http://127.0.0.1:8080/mcp', '--listen': '0.0.0.0:8080' }, 'other machines'],
    [
      'openid of endpoints without an issuer',
      { ...WITHOUT_METADATA, '--upstream-scope': 'openid' },
      'is missing: `openid` is asked for (`--upstream-scope`)',
    ],
    ['a backend in the clear', { '--backend': 'http://10.0.0.1/mcp' }, '`--allow-plain-backend`'],
    ['itself as backend', { '--backend': 'https://mcp.example.com/mcp' }, '`--backend` is the URL of `--resource`'],
    ['itself with a slash as backend', { '--backend': 'https://MCP.example.com/mcp/' }, '`--backend` is the URL of `--resource`'],
    ['its own port as backend', { '--backend': 'http://localhost:8080/mcp' }, 'go round in a circle'],
    ['its own port on every address as backend', { '--listen': '0.0.0.0:3000' }, 'go round in a circle'],
    [
      'its own port on one address as backend',
      { '--listen': '10.0.0.5:3000', '--backend': 'http://10.0.0.5:3000/mcp', '--allow-plain-backend': true },
      'go round in a circle',
    ],
    ['a backend that is no URL', { '--backend': 'ftp://x' }, '`--backend` must be an http or https URL'],
    ['no backend', { '--backend': undefined }, 'Name what to put the login in front of'],
    ['two backends', { '--backend-command': 'npx server' }, 'There is one backend'],
    ['a command whose quote has no end', { '--backend': undefined, '--backend-command': 'npx "server' }, 'is no command'],
    [
      'a program that is not there',
      { '--backend': undefined, '--backend-command': 'no-such-program SECRET-x' },
      'the program no-such-program,',
    ],
    ['a program that is a directory', { '--backend': undefined, '--backend-command': '/ SECRET-x' }, 'the program /,'],
    ['anonymous callers on the network', { '--allow-anonymous': true, '--listen': '0.0.0.0:80' }, 'everybody on the network'],
    ['anonymous callers of a public resource', { '--allow-anonymous': true }, 'on this machine alone'],
    ['upstream tokens for nobody in particular', { '--token-format': 'upstream' }, 'any token of that identity provider'],
    [
      'an audience that a validator of its own would not look at',
      { '--token-format': 'upstream', '--audience': 'x', '--validator': './x.mjs:create' },
      'that validator alone judges them',
    ],
    ['scopes to require that are none, where a variable was not set', { '--require-scope': '' }, '`--require-scope` names nothing'],
    ['scopes to require that no scope can be', { '--require-scope': 'a"b' }, '`--require-scope` must be a list of scopes as RFC 6749'],
    ['an audience for tokens of its own', { '--audience': 'x' }, 'clients get tokens of the gateway'],
    ['a token for a process', { '--backend': undefined, '--backend-command': 'x', '--backend-token': 'upstream' }, 'AUTHCHART_SUBJECT'],
    ['its secret for a process', { '--backend': undefined, '--backend-command': 'x', '--backend-env': 'OIDC_CLIENT_SECRET' }, 'a secret'],
    ['a store without keys', { '--store': 'redis://localhost' }, '`--store` needs `--keys-file`'],
    ['a password among the arguments', { '--store': 'redis://:SECRET-p@localhost' }, 'arguments are seen by every user'],
    ['a password in the query', { '--store': 'postgres://db.example/x?sslmode=require&Password=SECRET-p' }, 'arguments are seen by every'],
    [
      'a password for a key in the query',
      { '--store': 'postgres://db.example/x?sslpassword=SECRET-p' },
      'arguments are seen by every user',
    ],
    ['a store that is none', { '--store': 'mysql://SECRET-host' }, '`--store` must be `memory`'],
    ['a sign-in without a client', { '--client-id': undefined, '--default-scope': 'a' }, '`--default-scope` needs'],
    ['scopes nobody could get', { '--scope': 'a', '--require-scope': 'b' }, 'nobody could get them'],
    ['symmetric algorithms', { '--client-id': undefined, '--algorithms': 'HS256' }, 'can also make them'],
    ['an address that is none', { '--listen': 'here' }, '`--listen` must be'],
    ['a name that is no header', { '--client-address-header': 'a b' }, '`--client-address-header` must be the name of one header'],
    ['a time to wait that is none', { '--request-timeout': 'soon' }, '`--request-timeout` must be a number above zero'],
    [
      'a time to wait for a process',
      { '--backend': undefined, '--backend-command': 'x', '--request-timeout': '60' },
      '`--request-timeout` is for a backend that is a URL',
    ],
    [
      'a file that is not there',
      { '--client-secret-file': '/nowhere/at/all' },
      '`--client-secret-file` names a file that cannot be read: `/nowhere/at/all` does not exist.',
    ],
    ['a page as origin', { '--allowed-origin': 'https://app.example.com/page' }, 'without path'],
    ['a token format that is none', { '--token-format': 'magic' }, 'must be one of jwt, opaque, upstream'],
  ])('%s (GWY-14)', async (_title, changes, reason) => {
    const said = (await refusal(changes)).replace(/\s+/g, ' ');
    expect(said).toContain(reason);
    expect(said).not.toContain('SECRET-');
  });

  it('every mistake at once, each by the name it came under (GWY-14)', async () => {
    const config = join(await temporaryDirectory(), 'gateway.json');
    await writeFile(config, JSON.stringify({ clientSecret: 'SECRET-1', colour: 'red', tokenFormat: 7, scope: 3, algorithms: 'HS256' }));
    const said = await refusal(
      { '--config': config, '--resource': undefined, '--listen': 'x', '--issuer': undefined },
      {
        env: {
          OIDC_CLIENT_SECRET: 'SECRET-2',
          OIDC_CLIENT_SECRET_FILE: '/SECRET-3',
          OIDC_ISSUER_URL: 'nonsense',
          OAUTH_MAX_REGISTERED_URIS: 'many',
        },
      },
    );
    for (const named of [
      '`clientSecret` does not belong',
      '`colour` of the configuration file is no setting',
      '`scope` of the configuration file must be',
      '`--listen`',
      '`OIDC_ISSUER_URL` must be',
      '`OIDC_CLIENT_SECRET` and `OIDC_CLIENT_SECRET_FILE` are both set',
      '`OAUTH_MAX_REGISTERED_URIS` must be',
      '`--resource` or `OAUTH_RESOURCE_URL` is missing',
    ])
      expect(said).toContain(named);
    expect(said).not.toContain('SECRET-');
  });

  it.each(['127.0.0.1', 'localhost'])('nothing of a backend at %s whose port the gateway has at another address (GWY-14)', async (host) => {
    const argv = Object.entries({ ...RIGHT, '--backend': `http://${host}:8080/mcp`, '--listen': '10.0.0.5:8080' }).flat();
    const { stderr } = await runCommand(['gateway', ...argv, '--leeway', '1'], {});
    expect(stderr).not.toContain('go round in a circle');
    expect(stderr).toContain('`--leeway` is about');
  });

  it('a setting of the file by its own name, also where another is called as the option of a part (GWY-14)', async () => {
    const config = join(await temporaryDirectory(), 'gateway.json');
    await writeFile(config, JSON.stringify({ issuer: 'nonsense', scope: ['a'], defaultScope: ['b'] }));
    const said = (await refusal({ '--config': config, '--issuer': undefined })).replace(/\s+/g, ' ');
    expect(said).toContain('`issuer` of the configuration file must be an https URL');
    expect(said).toContain('`defaultScope` of the configuration file has scopes that `scope` of the configuration file does not name.');
    expect(said).not.toMatch(/--gateway-issuer|of the configuration file of the configuration file/);
  });

  it('nothing of a password in a file of settings, but warns where others can read it (GWY-14)', async () => {
    const directory = await temporaryDirectory();
    const config = join(directory, 'gateway.json');
    const flags = { resource: RIGHT['--resource'], backend: RIGHT['--backend'], issuer: RIGHT['--issuer'], clientId: 'mcp' };
    const warningsOf = async (store: string, mode: number): Promise<readonly string[]> => {
      await writeFile(config, JSON.stringify({ store, keysFile: 'keys.json' }));
      await chmod(config, mode);
      const configured = await configure({ flags, environment: {}, configFile: config }, []);
      return 'problems' in configured ? configured.problems : configured.configuration.warnings;
    };
    await writeFile(join(directory, 'keys.json'), await makeKeysFile(0), { mode: 0o600 });
    expect(await warningsOf('postgres://db.example/x?password=SECRET-p', 0o600)).toEqual([]);
    expect(await warningsOf('redis://db.example', 0o644)).toEqual([]);
    for (const store of ['postgres://db.example/x?password=SECRET-p', 'redis://:SECRET-p@db.example']) {
      const [warning, ...more] = await warningsOf(store, 0o640);
      expect(warning).toContain('`store` of the configuration file holds a password');
      expect([more, warning?.includes('SECRET-')]).toEqual([[], false]);
    }
  });

  it('an audience of the command line that a validator of the environment would not look at (GWY-08, GWY-14)', async () => {
    const env = { TOKEN_VALIDATOR_FACTORY: './x.mjs:create' };
    const said = await refusal({ '--token-format': 'upstream', '--audience': 'x' }, { env });
    expect(said.replace(/\s+/g, ' ')).toContain('with `TOKEN_VALIDATOR_FACTORY` that validator alone judges them');
  });

  it('a program after -- that cannot be run, and no other of that name elsewhere (GWY-14)', async () => {
    const file = join(await temporaryDirectory(), 'server');
    await writeFile(file, '#!/bin/sh', { mode: 0o600 });
    const said = (await refusal({ '--backend': undefined }, { after: [file, 'SECRET-x'] })).replace(/\s+/g, ' ');
    expect(said).toContain(`The command after \`--\` names the program ${file}, which`);
    expect(said).not.toContain('SECRET-');
  });

  it.each<readonly [where: string, changes: Flags, after: string[]]>([
    ['--backend-command', { '--backend-command': 'GITHUB_TOKEN=SECRET-ghp npx server' }, []],
    ['a command after --', {}, ['GITHUB_TOKEN=SECRET-ghp', 'npx', 'server']],
  ])('a variable that is set before the program of %s, and does not quote it (GWY-14)', async (_where, changes, after) => {
    const said = (await refusal({ '--backend': undefined, ...changes }, { after })).replace(/\s+/g, ' ');
    expect(said).toContain('begins with a variable instead of a program');
    expect(said).toContain('`--backend-env GITHUB_TOKEN`');
    expect(said).not.toContain('SECRET-');
  });

  it('static tokens that the backend would get (GWY-08, GWY-14)', async () => {
    const file = join(await temporaryDirectory(), 'tokens.json');
    await writeFile(file, JSON.stringify([{ token: 'SECRET-of-a-machine-0', subject: 'nightly' }]), { mode: 0o600 });
    const said = await refusal({ '--static-token-file': file, '--backend-token': 'upstream' });
    expect(said.replace(/\s+/g, ' ')).toContain('the backend would get the token itself');
    expect(said).not.toContain('SECRET-');
  });

  it.each(['sealing', 'signing'] as const)('two %s keys of one name, of which one would open nothing (GWY-14)', async (kind) => {
    const keys = JSON.parse(await makeKeysFile(0)) as Record<'sealing' | 'signing', object[]>;
    const other = JSON.parse(await makeKeysFile(0)) as typeof keys;
    const named = (key: object | undefined) => ({ ...key, ...(kind === 'sealing' ? { id: 'one' } : { kid: 'one' }) });
    const file = join(await temporaryDirectory(), 'keys.json');
    await writeFile(file, JSON.stringify({ ...keys, [kind]: [named(keys[kind][0]), named(other[kind][0])] }), {
      mode: 0o600,
    });
    expect((await refusal({ '--keys-file': file })).replace(/\s+/g, ' ')).toContain('two keys have one name');
  });

  it.each<readonly [title: string, change: object]>([
    ['of another algorithm', { alg: 'RS256' }],
    ['that is mangled', { d: 'SECRET-d' }],
  ])('a signing key behind the first, and a key of the client, %s, before any token needs it (GWY-14)', async (_title, change) => {
    const { signing, ...keys } = JSON.parse(await makeKeysFile(0)) as { readonly signing: readonly object[] };
    const broken = { ...signing[0], kid: 'two', ...change };
    const [keysFile, keyFile] = [join(await temporaryDirectory(), 'keys.json'), join(await temporaryDirectory(), 'key.jwk')];
    await writeFile(keysFile, JSON.stringify({ ...keys, signing: [...signing, broken] }), { mode: 0o600 });
    await writeFile(keyFile, JSON.stringify(broken), { mode: 0o600 });
    const said = (await refusal({ '--keys-file': keysFile, '--client-key-file': keyFile, '--check': true })).replace(/\s+/g, ' ');
    expect(said).toContain('`--keys-file` has a signing key that cannot be used: number 2 is no private key of its `alg`.');
    expect(said).toContain('`--client-key-file` is no private key of its `alg`.');
    expect(said).not.toContain('SECRET-');
  });

  it('a validator that is not there (GWY-09, GWY-14)', async () => {
    expect(await refusal({ ...WITHOUT_METADATA, '--validator': './nowhere.mjs:create', '--check': true })).toContain(
      '`--validator`: the module of',
    );
  });

  it.each(['redis://127.0.0.1:1', 'postgres://127.0.0.1:1/x'])(
    '%s without a driver beside the configuration, and says what to install (GWY-14)',
    async (url) => {
      const opening = openStore(url, await temporaryDirectory(), systemClock);
      await expect(opening).rejects.toMatchObject({ code: 'driver_missing', advice: expect.stringContaining('npm install') });
    },
  );
});

describe('authchart gateway, of an option that it does not have,', () => {
  it.each<readonly [title: string, argv: readonly string[], advice: RegExp]>([
    ['names its own help', ['gateway', '--colour'], /See authchart gateway --help\.$/],
    ['names the help of keys', ['gateway', 'keys', '--colour'], /^See authchart gateway keys --help\.$/],
    ['names the file of a secret', ['gateway', '--client-secret', 'SECRET-x'], /--client-secret-file.*See authchart gateway --help\.$/],
    ['quotes no value', ['gateway', "--client-secret=SECRET-'x=y'"], /--client-secret-file/],
    ['quotes no value of another', ['gateway', '--clientsecret=SECRET-x', '--check'], /See authchart gateway --help\.$/],
    ['names the help of all before a command', ['--colour', 'gateway'], /^See authchart --help\.$/],
  ])('%s (GWY-14)', async (_title, argv, advice) => {
    const { exitCode, lines, stdout } = await runCommand([...argv, '--json']);
    expect(exitCode).toBe(2);
    expect(lines.at(-1)).toMatchObject({ type: 'error', code: 'usage', message: expect.stringContaining('unknown option') });
    expect(lines.at(-1)?.['advice']).toMatch(advice);
    expect(stdout).not.toContain('SECRET-');
    expect((await runCommand(argv)).stderr).not.toContain('SECRET-');
  });
});

describe('the words of --backend-command', () => {
  it.each<readonly [string, readonly string[] | undefined]>([
    ['npx server --flag', ['npx', 'server', '--flag']],
    ['  "my server"  \'a b\' c="d e"', ['my server', 'a b', 'c=d e']],
    ['x $HOME `id` ; y', ['x', '$HOME', '`id`', ';', 'y']],
    ['x ""', ['x', '']],
    ['"x', undefined],
    ['"" x', undefined],
    ['', undefined],
  ])('%s', (text, words) => expect(splitCommand(text)).toEqual(words));
});

it('authchart gateway takes a private key in place of a secret, and not both (GWY-03, GWY-14)', async () => {
  const directory = await temporaryDirectory();
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const file = join(directory, 'key.jwk');
  await writeFile(file, JSON.stringify({ ...(await crypto.subtle.exportKey('jwk', privateKey)), kid: 'one', alg: 'ES256' }), {
    mode: 0o600,
  });
  const { url } = await openMcpServer();
  const { '--issuer': _, ...rest } = { ...RIGHT, ...WITHOUT_METADATA };
  const argv = Object.entries({ ...rest, '--client-key-file': file, '--backend': url }).flat();
  expect((await runCommand(['gateway', ...argv, '--check'])).exitCode).toBe(0);
  expect(await refusal({ '--client-key-file': file }, { env: { OIDC_CLIENT_SECRET: 'SECRET-x' } })).toContain('which one counts?');
  await writeFile(file, '{"d":"SECRET-key"');
  expect(await refusal({ '--client-key-file': file })).toMatch(/must name a file with a private key(?![\s\S]*SECRET-)/);
});
