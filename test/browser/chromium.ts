/** The Chromium that the browser tests drive: a real one of this machine, never one that is downloaded. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

export const CHROMIUM_MISSING =
  'The browser tests need a real Chromium: install the Debian package "chromium", or let CHROMIUM_PATH name its program.';

/** `CHROMIUM_PATH`, or the first of its names on the PATH. */
export function findChromium({ CHROMIUM_PATH, PATH = '' }: NodeJS.ProcessEnv = process.env): string | undefined {
  // Who names one means that one: no other is tried.
  if (CHROMIUM_PATH !== undefined && CHROMIUM_PATH !== '') return existsSync(CHROMIUM_PATH) ? CHROMIUM_PATH : undefined;
  return PATH.split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(CHROMIUM_MISSING);
  return chromium.launch({
    executablePath,
    // It shows pages of ours only, and root, which CI often is, could not start it otherwise.
    chromiumSandbox: false,
    // What people have switched on.
    ignoreDefaultArgs: ['--disable-popup-blocking'],
  });
}
