import { describe, expect, it } from 'vitest';
import { whyUnreadable } from '../../src/cli/why-unreadable.ts';
import { runCommand } from './run-command.ts';

const RIGHT = {
  '--resource': 'https://mcp.example.com/mcp',
  '--backend': 'http://127.0.0.1:3000/mcp',
  '--issuer': 'https://login.example.com',
  '--client-id': 'mcp',
};

type Flags = Readonly<Record<string, string | undefined>>;

/** Line by line. */
async function refusal(changes: Flags): Promise<readonly string[]> {
  const flags = Object.entries<string | undefined>({ ...RIGHT, ...changes }).flatMap(([flag, value]) =>
    value === undefined ? [] : [flag, value],
  );
  const { exitCode, stderr } = await runCommand(['gateway', ...flags]);
  expect(exitCode).toBe(2);
  return stderr.trimEnd().split('\n');
}

describe('authchart gateway says one thing about', () => {
  it.each<readonly [title: string, changes: Flags, only: string]>([
    ['an issuer in the clear', { '--issuer': 'http://login.example.com' }, '`--issuer` must be an https URL without query and fragment,'],
    ['a leeway that is no number', { '--client-id': undefined, '--leeway': 'abc' }, '`--leeway` must be a number of seconds between 0 and'],
    ['a leeway that is no number, and that nothing reads', { '--leeway': 'abc' }, '`--leeway` must be a number of seconds between 0 and'],
    [
      'a token format that is none, and nothing about a leeway that it may need',
      { '--token-format': 'xx', '--leeway': '5' },
      '`--token-format` must be one of jwt, opaque, upstream.',
    ],
    [
      'a leeway for tokens of another format, and which that is',
      { '--leeway': '5', '--token-format': 'opaque' },
      "`--leeway` is about the identity provider's tokens, and clients get tokens of the gateway (`--token-format` is opaque): leave it out.",
    ],
  ])('%s (GWY-14)', async (_title, changes, only) => {
    expect(await refusal(changes)).toEqual([expect.stringContaining(`✗ ${only}`), '  See authchart gateway --help.']);
  });
});

describe('a file that a setting names', () => {
  const SECRET_FILE = '✗ `--client-secret-file` names a file that cannot be read:';

  it.each<readonly [title: string, changes: Flags, line: string]>([
    ['is not there', { '--client-secret-file': './nope' }, `${SECRET_FILE} \`./nope\` does not exist.`],
    ['is a directory', { '--client-secret-file': '/' }, `${SECRET_FILE} \`/\` is a directory.`],
    ['lies in a file', { '--client-secret-file': `${import.meta.filename}/x` }, 'does not exist.'],
    ['has a name that may be the secret itself', { '--client-secret-file': 'hunter2' }, `${SECRET_FILE} it does not exist.`],
    ['is that of all settings', { '--config': './nope.json' }, '✗ The file of `--config` cannot be read: `./nope.json` does not exist.'],
  ])('%s: which, and why it cannot be read (GWY-14)', async (_title, changes, line) => {
    expect((await refusal(changes)).join('\n')).toContain(line);
  });

  it.each([
    ['EACCES', ': permission denied for `./x`'],
    ['EPERM', ': permission denied for `./x`'],
    ['EIO', ' (EIO)'],
  ])('cannot be read because of %s, and that is said', (code, why) => {
    expect(whyUnreadable(Object.assign(new Error('no'), { code }), './x')).toBe(why);
  });
});
