import { defineConfig } from 'vitest/config';
import shared from './vitest.config.ts';

/** The tests that need a Chromium; `npm test` goes without. */
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    include: ['test/browser/*.browser.ts'],
    // A whole browser on a busy machine; as everywhere, it only ends tests that hang.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
