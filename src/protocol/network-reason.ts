/**
 * Why a request failed below HTTP, in words. Errors of HTTP clients hold URL and
 * request, so only the machine-readable code inside them is looked at (SEC-01).
 */

const WORDS: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'Its name could not be resolved'],
  [/^ADDRESS_NOT_PUBLIC$/, 'Its name leads to an address that is not public'],
  [/^ECONNREFUSED$/, 'The connection was refused'],
  [/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, 'The connection was cut'],
  [/^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/, 'The connection was not answered'],
  [/^(ENETUNREACH|EHOSTUNREACH)$/, 'There is no route to it'],
  [/^UND_ERR_HEADERS_OVERFLOW|^HPE_/, 'Its answer is not proper HTTP'],
  [/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|^ERR_TLS|^ERR_SSL|^EPROTO$/, 'Its TLS certificate or handshake was not accepted'],
];

// `cause` chains are short; the bound is for those that go in circles.
const DEEPEST_CAUSE = 6;

/** Of a connection that `publicLookup` of authchart/node prevented. */
export const ADDRESS_NOT_PUBLIC = 'ADDRESS_NOT_PUBLIC';

/** A sentence with the error code, or `undefined` if the error has none. */
export function networkReason(error: unknown): string | undefined {
  const code = networkCode(error);
  if (code === undefined) return undefined;
  const known = WORDS.find(([pattern]) => pattern.test(code));
  return `${known?.[1] ?? 'The network failed'} (${code}).`;
}

/** The machine-readable code inside the error. */
export function networkCode(error: unknown): string | undefined {
  let at: unknown = error;
  for (let depth = 0; depth < DEEPEST_CAUSE && at instanceof Error; depth += 1) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) return code;
    at = at.cause;
  }
  return undefined;
}
