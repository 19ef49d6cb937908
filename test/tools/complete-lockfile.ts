/**
 * Adds to package-lock.json the optional packages of other platforms that npm left out.
 *
 * Tools with native parts have one optional package for every platform. A registry
 * that does not carry all of them makes `npm install` drop the missing ones from the
 * lockfile, and then `npm ci` refuses that lockfile, on every platform. An entry with
 * version and platform is enough: npm skips it elsewhere and looks it up where it fits.
 * Run after `npm install`: `npm run lockfile`.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32'];

/** Platform packages are called after their platform: `…-linux-x64-musl`. */
export function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> {
  const words = name.split(/[/-]/);
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : words.some((word) => word.startsWith('gnu')) ? 'glibc' : undefined;
  if (os === undefined && cpu !== 'wasm32') throw new Error(`Which platform is ${name} for?`);
  return { ...(os && { os: [os] }), ...(cpu && { cpu: [cpu] }), ...(libc && os === 'linux' && { libc: [libc] }) };
}

/** Where npm would look for `name` from the folder of `from`: beside it, then in every folder above. */
function isLocked(packages: Readonly<Record<string, LockedPackage>>, from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, folder.lastIndexOf('/node_modules/'))) {
    if (packages[`${folder}/node_modules/${name}`.replace(/^\//, '')] !== undefined) return true;
    if (!folder.includes('/node_modules/')) return packages[`node_modules/${name}`] !== undefined;
  }
}

/** The entries that are missing, by their place. */
export function missingPlatforms(packages: Readonly<Record<string, LockedPackage>>): Readonly<Record<string, LockedPackage>> {
  const missing: Record<string, LockedPackage> = {};
  for (const [place, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (isLocked(packages, place, name)) continue;
      missing[`node_modules/${name}`] = { version, ...platformOf(name), ...(dev === true && { dev }), optional: true };
    }
  }
  return missing;
}

if (import.meta.main) {
  const lockfile = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const missing = missingPlatforms(lockfile.packages);
  const packages = { ...lockfile.packages, ...missing };
  const order = Object.keys(packages).sort((one, other) => one.localeCompare(other, 'en'));
  lockfile.packages = Object.fromEntries(order.map((place) => [place, packages[place]]));
  writeFileSync('package-lock.json', `${JSON.stringify(lockfile, null, 2)}\n`);
  console.log(`package-lock.json: ${Object.keys(missing).length} packages of other platforms added.`);
}
