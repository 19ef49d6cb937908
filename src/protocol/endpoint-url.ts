/**
 * Which URLs a server may name (ASM-04): OAuth 2.1 section 1.5 and the MCP page
 * "Security Considerations" ask for https; loopback is exempt, since nothing
 * leaves the machine (RFC 8252 section 8.3).
 */
import { serverText } from './server-text.ts';

/** A URL of ours or of others that is longer than this names nothing real. */
const LONGEST_URL_CHARACTERS = 4096;

/**
 * Browsers and Node read past tabs, line breaks and backslashes inside a URL, other
 * parsers do not: such a URL means one thing to the check and another to its user.
 */
const AMBIGUOUS = /[\p{Cc}\s\\]/u;

/** True for `localhost`, names below it (RFC 6761 section 6.3), 127.0.0.0/8 and `::1`; takes the hostname of a parsed URL. */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    hostname === '::1' ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}

/** The parsed URL if it is absolute, http or https, without user information and unambiguous. */
export function webUrl(url: unknown): URL | undefined {
  if (typeof url !== 'string' || url.length > LONGEST_URL_CHARACTERS || AMBIGUOUS.test(url)) return undefined;
  // Without the slashes WHATWG parsers still accept it, RFC 3986 does not.
  if (!/^https?:\/\/[^/]/i.test(url)) return undefined;
  const parsed = URL.parse(url);
  return parsed === null || parsed.username !== '' || parsed.password !== '' ? undefined : parsed;
}

/** True for an absolute URL that is https, or http on loopback; false for `javascript:`, `file:`, `data:` and all that is not a string. */
export function isSafeEndpoint(url: unknown): url is string {
  const parsed = webUrl(url);
  return parsed !== undefined && (parsed.protocol === 'https:' || isLoopbackHost(parsed.hostname));
}

/** What may be shown of a URL: no query, fragment or user information; what is no web URL comes back as bounded text. */
export function withoutQuery(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return serverText(url.replace(/[?#].*$/s, ''), 120) ?? '';
  return serverText(parsed.origin + parsed.pathname, LONGEST_URL_CHARACTERS) ?? '';
}
