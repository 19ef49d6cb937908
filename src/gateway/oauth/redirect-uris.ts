/**
 * Where codes may be sent: which redirect URIs a client may register, and whether
 * the one in a request is one of them. The same text, character for character (OAuth
 * 2.1 section 4.1.3), but for the port of loopback addresses (RFC 8252 section 7.3).
 */
import { isLoopbackHost } from '../../protocol/endpoint-url.ts';

const LONGEST_CHARACTERS = 2048;

/**
 * Private-use schemes are allowed (RFC 8252 section 7.1), also without the dot that it wants: well-known clients have none.
 * These are no application's own: a browser or a system runs, shows, opens or dials them by itself, or asks a server.
 */
const UNSAFE_SCHEMES: ReadonlySet<string> = new Set([
  'about', 'blob', 'content', 'data', 'feed', 'file', 'filesystem', 'help', 'intent', 'jar', 'javascript', 'livescript', 'mhtml',
  'mk', 'mocha', 'res', 'resource', 'shell', 'vbscript', 'view-source',
  'android-app', 'geo', 'maps', 'market', 'prefs', 'app-prefs', 'apt', 'appstream', 'snap', 'steam', 'webcal', 'calshow', 'magnet',
  'callto', 'facetime', 'facetime-audio', 'h323', 'mailto', 'message', 'mms', 'mmsto', 'sip', 'sips', 'sms', 'smsto', 'tel', 'xmpp',
  'bitcoin', 'ethereum', 'lightning', 'payto', 'upi',
  'afp', 'afs', 'cifs', 'dav', 'davs', 'dict', 'finger', 'ftp', 'ftps', 'git', 'gopher', 'imap', 'imaps', 'irc', 'irc6', 'ircs', 'ldap',
  'ldaps', 'news', 'nfs', 'nntp', 'pop', 'rdp', 'rlogin', 'rsync', 'rtmp', 'rtsp', 'sftp', 'smb', 'smtp', 'snews', 'ssh', 'svn',
  'telnet', 'tftp', 'tn3270', 'vnc', 'wais', 'webdav', 'ws', 'wss',
]); // biome-ignore format: a table
/** Kinds of them: of Windows, Apple, browsers and their extensions; handled by web pages (`web+…`), or spoken over others (`git+ssh`). */
const UNSAFE_KINDS = /^(?:ms-|microsoft(?:-|$)|search|itms|x-apple|chrome(?:-|$)|edge(?:-|$)|moz-)|-extension$|\+/;

/** What is wrong with a redirect URI that a client wants to register; `undefined`: nothing. Never quotes it. */
export function problemOfRedirectUri(uri: unknown): string | undefined {
  if (typeof uri !== 'string' || uri.length > LONGEST_CHARACTERS) return 'A redirect URI is not a text, or too long.';
  // Browsers read past what RFC 3986 does not allow, other parsers do not: such a URI leads to two places.
  if (!/^[\x21-\x7e]+$/.test(uri) || /["<>\\^`{|}]/.test(uri)) return 'A redirect URI holds characters that no URI has.';
  const url = URL.parse(uri);
  if (url === null) return 'A redirect URI is not an absolute URL.';
  if (uri.includes('#')) return 'A redirect URI must not have a fragment (RFC 6749 section 3.1.2).';
  if (url.username !== '' || url.password !== '') return 'A redirect URI must not hold user information.';
  const scheme = url.protocol.slice(0, -1);
  if (UNSAFE_SCHEMES.has(scheme) || UNSAFE_KINDS.test(scheme)) return 'A redirect URI has a scheme that is not safe.';
  if (scheme !== 'http' && scheme !== 'https') return problemOfApplication(uri, url);
  if (!/^https?:\/\/[^/]/i.test(uri)) return 'A redirect URI is not an absolute URL.';
  return scheme === 'https' || isLoopbackHost(url.hostname)
    ? undefined
    : 'A redirect URI must be https, http on a loopback address, or have a scheme of the application.';
}

/** Whoever registers it chooses what the application is told: it has to be a place, and no command about an address. */
function problemOfApplication(uri: string, { pathname, search }: URL): string | undefined {
  if (!/^[^:]+:\//.test(uri)) return 'A redirect URI of an application must have a path: after its scheme stands a slash.';
  return decoded(pathname + search)?.includes(':') === false
    ? undefined
    : 'A redirect URI of an application must not hold another address.';
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Is the redirect URI of a request one of those the client has registered? */
export function matchesRedirectUri(registered: readonly string[], requested: string): boolean {
  if (registered.includes(requested)) return true;
  const free = withoutLoopbackPort(requested);
  return free !== undefined && registered.some((uri) => withoutLoopbackPort(uri) === free);
}

/** `undefined` for what is not http on a loopback address. */
function withoutLoopbackPort(uri: string): string | undefined {
  const [, host = '', rest = ''] = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(?::\d{1,5})?((?:[/?].*)?)$/.exec(uri) ?? [];
  // The parser has the last word on which host it is, and whether the port is one.
  const url = URL.parse(uri);
  return host !== '' && url?.hostname === host && url.username === '' ? `http://${host}${rest}` : undefined;
}

/** True if it leads to the person's own machine: any program there can listen at it. */
export function isLoopback(redirectUri: string): boolean {
  const url = URL.parse(redirectUri);
  return url !== null && /^https?:$/.test(url.protocol) && isLoopbackHost(url.hostname);
}
