/**
 * Text that a server chose, made fit for errors, logs and terminals (TOK-04).
 * Not escaped for HTML: pages escape what they show.
 */
import { DEFAULT_LIMITS } from '../limits.ts';

/** Line breaks and other controls would forge log lines; as separators they still part words. */
const SEPARATORS = /[\p{Cc}\p{Zl}\p{Zp}\s]+/gu;

/**
 * Invisible characters: bidirectional overrides turn the meaning of what follows,
 * zero-width and tag characters hide text, lone surrogates break encoders.
 */
const INVISIBLE = /[\p{Cf}\p{Cs}\p{Co}]/gu;

/**
 * @param maxCharacters the longest result, in UTF-16 code units
 * @returns the text in one line without invisible characters, cut with `…`;
 *   `undefined` for what is not a string or has nothing to show
 */
export function serverText(text: unknown, maxCharacters: number = DEFAULT_LIMITS.serverTextCharacters): string | undefined {
  if (typeof text !== 'string') return undefined;
  // Cut first: a body of megabytes is not worth cleaning.
  const clean = text
    .slice(0, maxCharacters * 8)
    .replace(INVISIBLE, '')
    .replace(SEPARATORS, ' ')
    .trim();
  if (clean === '') return undefined;
  if (clean.length <= maxCharacters) return clean;
  // A cut through a surrogate pair leaves half a character: drop it.
  return `${clean.slice(0, maxCharacters - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
