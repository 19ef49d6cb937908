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

/** Shorter ones would be found in ordinary words. */
const SHORTEST_SECRET_CHARACTERS = 4;

/**
 * @param maxCharacters the longest result, in UTF-16 code units
 * @param secrets what the server was sent and may repeat: it stays out (SEC-01)
 * @returns the text in one line without invisible characters, cut with `…`;
 *   `undefined` for what is not a string or has nothing to show
 */
export function serverText(
  text: unknown,
  maxCharacters: number = DEFAULT_LIMITS.serverTextCharacters,
  secrets: readonly string[] = [],
): string | undefined {
  if (typeof text !== 'string') return undefined;
  // Cut first: a body of megabytes is not worth cleaning.
  const visible = text
    .slice(0, maxCharacters * 8)
    .replace(INVISIBLE, '')
    .replace(SEPARATORS, ' ')
    .trim();
  // Before the last cut, which would leave the first half of a secret.
  const clean = secrets.reduce(withoutSecret, visible);
  if (clean === '') return undefined;
  if (clean.length <= maxCharacters) return clean;
  // A cut through a surrogate pair leaves half a character: drop it.
  return `${clean.slice(0, maxCharacters - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function withoutSecret(text: string, secret: string): string {
  if (secret.length < SHORTEST_SECRET_CHARACTERS) return text;
  return text.replaceAll(secret, '[removed]').replaceAll(encodeURIComponent(secret), '[removed]');
}
