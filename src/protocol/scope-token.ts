/** RFC 6749 section 3.3: printable ASCII without space, quote and backslash. */
export function isScopeToken(token: string): boolean {
  return /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(token);
}
