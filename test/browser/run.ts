/** `npm run test:browser`: builds the application and runs the tests in a real Chromium. Arguments are names of tests files. */
import { startVitest } from 'vitest/node';
import { buildApplication } from './build-application.ts';
import { CHROMIUM_MISSING, findChromium } from './chromium.ts';

if (findChromium() === undefined) {
  console.error(CHROMIUM_MISSING);
  process.exitCode = 1;
} else {
  await buildApplication();
  const vitest = await startVitest('test', process.argv.slice(2), { config: 'vitest.browser.config.ts', watch: false });
  await vitest.close();
}
