/** Headers of one connection, which no proxy passes on (RFC 9110 section 7.6.1). */

const ALWAYS = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings'];

/** By lower-case name, with those that `Connection` names. */
export function connectionHeaders(headers: Headers): ReadonlySet<string> {
  const named = (headers.get('connection') ?? '').split(',').map((name) => name.trim().toLowerCase());
  return new Set([...ALWAYS, ...named]);
}
