import { defineConfig, type UserConfig } from 'tsdown';
import { thirdPartyLicenses } from './test/tools/third-party-licenses.ts';

/** `open` and what it needs to find the browser. */
const OPEN = [
  'open',
  'bundle-name',
  'default-browser',
  'default-browser-id',
  'define-lazy-prop',
  'is-docker',
  'is-in-ssh',
  'is-inside-container',
  'is-wsl',
  'powershell-utils',
  'run-applescript',
  'wsl-utils',
];

/** What the command line draws with. */
const TERMINAL = [
  'ajv',
  'ansi-escapes',
  'ansi-regex',
  'ansi-styles',
  'astral-regex',
  'cli-cursor',
  'color-convert',
  'color-name',
  'commander',
  'emoji-regex',
  'environment',
  'fast-deep-equal',
  'get-east-asian-width',
  'is-fullwidth-code-point',
  'lodash.truncate',
  'log-update',
  'mimic-function',
  'onetime',
  'picocolors',
  'restore-cursor',
  'signal-exit',
  'slice-ansi',
  'string-width',
  'strip-ansi',
  'table',
  'wrap-ansi',
];

/** `authchart gateway`: an HTTP server, a client without limits of time for its backend, and the MCP SDK's transports for a backend that speaks stdio. */
const GATEWAY = [
  '@hono/node-server',
  'hono',
  '@modelcontextprotocol/core',
  '@modelcontextprotocol/server',
  'cross-spawn',
  'isexe',
  'path-key',
  'shebang-command',
  'shebang-regex',
  'undici',
  'which',
];

const shared: UserConfig = {
  format: 'esm',
  target: 'es2023',
  outputOptions: { chunkFileNames: 'chunks/[name]-[hash].js' },
  outExtensions: () => ({ js: '.js', dts: '.d.ts' }),
  clean: true,
  inputOptions: {
    onLog(level, log, handle) {
      // Otherwise a package that was not found would only be missed by the user who gets there first.
      if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message);
      handle(level, log);
    },
  },
};

/**
 * What is a `dependency` in package.json stays outside and comes with the
 * installation; whatever else is bundled has to be named in `onlyBundle`, so
 * that nothing comes along unnoticed. See docs/decisions/0001-dependencies.md.
 */
export default defineConfig([
  {
    ...shared,
    // Nothing is put in for Node, so that the core also runs in browsers and workers.
    platform: 'neutral',
    entry: {
      index: 'src/index.ts',
      machines: 'src/machines.ts',
      node: 'src/node.ts',
      browser: 'src/browser.ts',
      sealed: 'src/stores/sealed-store.ts',
      redis: 'src/redis.ts',
      postgres: 'src/postgres.ts',
      keychain: 'src/keychain.ts',
      gateway: 'src/gateway.ts',
      'store-contract': 'src/stores/store-contract.ts',
    },
    deps: { neverBundle: [/^node:/, '@napi-rs/keyring'], onlyBundle: ['idb', 'jose', 'ky', 'zod', ...OPEN] },
    dts: { generator: 'tsgo' },
    plugins: [thirdPartyLicenses()],
  },
  {
    // A bundle of its own: the library's chunks stay as few and as small as its own entries need.
    ...shared,
    platform: 'node',
    entry: { main: 'src/cli/main.ts' },
    outDir: 'dist/cli',
    deps: { neverBundle: ['@napi-rs/keyring'], onlyBundle: ['jose', 'ky', 'zod', ...OPEN, ...TERMINAL, ...GATEWAY] },
    dts: false,
    plugins: [thirdPartyLicenses()],
  },
]);
