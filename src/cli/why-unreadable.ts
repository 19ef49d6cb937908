/** Why a file that somebody named cannot be read. */
import { isAbsolute } from 'node:path';
import { errnoOf } from '../stores/file-errors.ts';
import { shown } from './report/words.ts';

const REASONS: Readonly<Record<string, (file: string) => string>> = {
  ENOENT: (file) => `${file} does not exist`,
  ENOTDIR: (file) => `${file} does not exist`,
  EISDIR: (file) => `${file} is a directory`,
  EACCES: (file) => `permission denied for ${file}`,
  EPERM: (file) => `permission denied for ${file}`,
};

/** Goes on after "cannot be read"; without a full stop. */
export function whyUnreadable(thrown: unknown, path: string): string {
  const code = errnoOf(thrown);
  if (code === undefined) return '';
  // Where a bare word is no file, it may be the secret itself, given in its place.
  const isPath = isAbsolute(path) || /^\.{1,2}[/\\]/.test(path);
  const reason = REASONS[code]?.(isPath ? `\`${shown(path)}\`` : 'it');
  return reason === undefined ? ` (${code})` : `: ${reason}`;
}
