import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const CHECK = fileURLToPath(new URL('../../.ci/require-node.cjs', import.meta.url));
const PACKAGE = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly engines: { readonly node: string };
  readonly scripts: Readonly<Record<string, string>>;
};

const run = (...args: readonly string[]) => spawnSync(process.execPath, [CHECK, ...args], { encoding: 'utf8' });

describe('the check of the Node version before a script', () => {
  it('lets this Node pass', () => {
    expect(run()).toMatchObject({ status: 0, stderr: '' });
  });

  it('says what is needed, what is there, and what to do', () => {
    const { status, stderr } = run('999');
    expect(status).toBe(1);
    expect(stderr).toContain(`needs Node 999 or newer; this is Node ${process.versions.node}`);
    expect(stderr).toContain('put it first on the PATH');
  });

  it('looks at the minor version where one is named', () => {
    const [major = '', minor = ''] = process.versions.node.split('.');
    expect(run(`${major}.${minor}`).status).toBe(0);
    expect(run(`${major}.${Number(minor) + 1}`).status).toBe(1);
    expect(run(`${Number(major) - 1}.999`).status).toBe(0);
  });

  it('asks for no more than the package does where the package is built', () => {
    expect(PACKAGE.scripts['prebuild']).toBe(`node .ci/require-node.cjs ${PACKAGE.engines.node.replace('>=', '')}`);
  });
});
