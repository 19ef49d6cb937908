import { describe, expect, it } from 'vitest';
import { missingPlatforms, platformOf } from './complete-lockfile.ts';

describe('the lockfile', () => {
  it('gets the platforms that npm left out, with what lets npm skip them', () => {
    const packages = {
      '': {},
      'node_modules/tool': {
        version: '1.0.0',
        dev: true,
        optionalDependencies: { 'tool-linux-x64': '1.0.0', 'tool-darwin-arm64': '1.0.0' },
      },
      'node_modules/tool/node_modules/tool-linux-x64': { version: '1.0.0' },
    };
    expect(missingPlatforms(packages)).toEqual({
      'node_modules/tool-darwin-arm64': { version: '1.0.0', os: ['darwin'], cpu: ['arm64'], dev: true, optional: true },
    });
  });

  it('knows platforms by the names of their packages', () => {
    expect(platformOf('@tool/binding-linux-arm64-musl')).toEqual({ os: ['linux'], cpu: ['arm64'], libc: ['musl'] });
    expect(platformOf('@tool/win32-x64')).toEqual({ os: ['win32'], cpu: ['x64'] });
    expect(() => platformOf('left-pad')).toThrow('Which platform is left-pad for?');
  });
});
