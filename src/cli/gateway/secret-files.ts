/** The files that settings name: secrets, tokens, keys. */
import { readFileSync, statSync } from 'node:fs';
import { whyUnreadable } from '../why-unreadable.ts';
import type { GivenSettings } from './setting-sources.ts';

export type Complain = (problem: string) => undefined;
/** The text without white space around it; `undefined` where none is named, or it cannot be used, which is complained about. */
export type ReadNamedFile = (setting: 'clientSecretFile' | 'clientKeyFile' | 'staticTokenFile' | 'keysFile') => string | undefined;

export function readingNamedFiles(given: GivenSettings, complain: Complain, warnings: string[]): ReadNamedFile {
  return (setting) => {
    const path = given.text(setting);
    if (path === undefined) return undefined;
    const label = given.label(setting);
    try {
      const text = readFileSync(path, 'utf8').trim();
      // Secrets that are mounted into containers are readable for all in there: no reason to refuse.
      if (isReadByOthers(path)) warnings.push(`The file of ${label} can be read by other users of this machine; chmod 600 ends that.`);
      return text === '' ? complain(`${label} names a file that is empty.`) : text;
    } catch (thrown) {
      return complain(`${label} names a file that cannot be read${whyUnreadable(thrown, path)}.`);
    }
  };
}

/** Or written. Windows tells it in another way. @throws where there is no such file */
export const isReadByOthers = (path: string): boolean => process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;
