/**
 * A bundler plugin that writes dist/THIRD-PARTY-LICENSES.txt: the licence of every
 * package of which a part ended in a chunk. Bundling copies other people's code,
 * and their licences ask that their notice goes with it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Rolldown } from 'tsdown';

export const LICENSES_FILE = 'THIRD-PARTY-LICENSES.txt';

interface BundledPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly text: string;
}

const LICENSE_NAME = /^(licen[cs]e|copying|notice)/i;

function packageFolder(moduleId: string): string | undefined {
  const path = moduleId.replace(/^\0/, '').replace(/\?.*$/, '');
  if (!path.includes('/node_modules/')) return undefined;
  for (let folder = dirname(path); folder.includes('/node_modules/'); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    // Some packages put nameless manifests into subfolders, only to say which module system they use.
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name !== undefined) return folder;
  }
  return undefined;
}

function read(folder: string): BundledPackage {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = readdirSync(folder)
    .filter((file) => LICENSE_NAME.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (typeof license !== 'string') throw new Error(`${name} is bundled, but its package.json names no licence.`);
  return { name, version, license, text: texts.join('\n\n') || `(The package has no licence file; its package.json says ${license}.)` };
}

/** Every package whose code stands in one of the chunks, by name. */
export function bundledPackages(moduleIds: Iterable<string>): readonly BundledPackage[] {
  const folders = new Set([...moduleIds].map(packageFolder).filter((folder) => folder !== undefined));
  return [...folders].map(read).sort((one, other) => (one.name < other.name ? -1 : 1));
}

export function thirdPartyLicenses(): Rolldown.Plugin {
  return {
    name: 'third-party-licenses',
    generateBundle(_options, bundle) {
      const code = Object.values(bundle).filter((output) => output.type === 'chunk' && output.fileName.endsWith('.js'));
      const packages = bundledPackages(code.flatMap((chunk) => ('moduleIds' in chunk ? chunk.moduleIds : [])));
      if (packages.length === 0) return;
      const parts = packages.map((one) => `${one.name} ${one.version} (${one.license})\n\n${one.text}\n`);
      this.emitFile({
        type: 'asset',
        fileName: LICENSES_FILE,
        source: `authchart contains code of these packages:\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`,
      });
    },
  };
}
