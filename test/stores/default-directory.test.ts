import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultStoreDirectory } from '../../src/stores/default-directory.ts';

const home = join('/', 'home', 'someone');

describe('default directory of the file store', () => {
  it('is under XDG_STATE_HOME', () => {
    expect(defaultStoreDirectory({ platform: 'linux', environment: { XDG_STATE_HOME: '/state' }, home })).toBe(join('/state', 'authchart'));
  });

  it('is under ~/.local/state without it, and when it is empty or relative', () => {
    const expected = join(home, '.local', 'state', 'authchart');
    for (const environment of [{}, { XDG_STATE_HOME: '' }, { XDG_STATE_HOME: 'state' }]) {
      expect(defaultStoreDirectory({ platform: 'linux', environment, home })).toBe(expected);
    }
  });

  it('is the place for application support on macOS', () => {
    expect(defaultStoreDirectory({ platform: 'darwin', environment: {}, home })).toBe(
      join(home, 'Library', 'Application Support', 'authchart'),
    );
  });

  it('is under LOCALAPPDATA on Windows, or where that usually is', () => {
    expect(defaultStoreDirectory({ platform: 'win32', environment: { LOCALAPPDATA: join('/', 'local') }, home })).toBe(
      join('/', 'local', 'authchart'),
    );
    expect(defaultStoreDirectory({ platform: 'win32', environment: {}, home })).toBe(join(home, 'AppData', 'Local', 'authchart'));
  });
});
