import { existsSync } from 'node:fs';
import { defineConfig } from 'tsdown';
import { thirdPartyLicenses } from './test/tools/third-party-licenses.ts';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    machines: 'src/machines.ts',
    ...Object.fromEntries(
      Object.entries({
        node: 'src/node.ts',
        'store-contract': 'src/stores/store-contract.ts',
        cli: 'src/cli/main.ts',
      }).filter(([, v]) => existsSync(v)),
    ),
  },
  format: 'esm',
  // `neutral`: nothing is put in for Node, so that the core also runs in browsers and workers.
  platform: 'neutral',
  target: 'es2023',
  outputOptions: { chunkFileNames: 'chunks/[name]-[hash].js' },
  outExtensions: () => ({ js: '.js', dts: '.d.ts' }),
  // What is a `dependency` in package.json stays outside; what is bundled has to be named here.
  deps: { onlyBundle: ['ky', 'zod'] },
  dts: { generator: 'tsgo' },
  clean: true,
  failOnWarn: true,
  plugins: [thirdPartyLicenses()],
});
