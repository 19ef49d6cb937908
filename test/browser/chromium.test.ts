import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findChromium } from './chromium.ts';

function folderWith(program: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'authchart-chromium-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, program), '');
  return folder;
}

describe('the Chromium of the browser tests', () => {
  it('is the one on the PATH, unless CHROMIUM_PATH names another', () => {
    const PATH = folderWith('chromium');
    const CHROMIUM_PATH = join(folderWith('mine'), 'mine');
    expect(findChromium({ PATH })).toBe(join(PATH, 'chromium'));
    expect(findChromium({ PATH, CHROMIUM_PATH })).toBe(CHROMIUM_PATH);
    expect(findChromium({ PATH, CHROMIUM_PATH: join(CHROMIUM_PATH, 'not-there') })).toBeUndefined();
    expect(findChromium({ PATH: '' })).toBeUndefined();
  });

  it('is asked for by name where there is none, and the run has failed', () => {
    const env = { ...process.env, CHROMIUM_PATH: '/not/there' };
    const { status, stderr } = spawnSync(process.execPath, ['test/browser/run.ts'], { env, encoding: 'utf8' });
    expect(stderr).toContain('install the Debian package "chromium", or let CHROMIUM_PATH name its program');
    expect(status).toBe(1);
  });
});
