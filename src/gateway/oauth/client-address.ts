/**
 * Whose request it is, as far as bounds go: the IP address of the connection, or what
 * one trusted proxy has written into a header that the embedder has named. No header is
 * looked at by itself, since callers write what they like (GWY-02).
 */

/**
 * What is counted together: an IPv4 address, or the /64 of an IPv6 address, which is the
 * least a subscriber gets. `undefined`: the address is not known, and nothing is counted.
 *
 * @param header its last entry counts: the one the proxy next to the gateway has added
 */
export function networkOf(request: Request, platform: object | undefined, header: string | undefined): string | undefined {
  const told = header === undefined ? undefined : request.headers.get(header)?.split(',').at(-1);
  return networkIn(told) ?? networkIn(Object(platform)['clientAddress']);
}

function networkIn(given: unknown): string | undefined {
  if (typeof given !== 'string' || given.length > 64) return undefined;
  const [, bracketed, v4, v6] =
    /^(?:\[([\da-f:.]+)(?:%[\w.-]+)?\](?::\d+)?|([\d.]+)(?::\d+)?|([\da-f:.]+)(?:%[\w.-]+)?)$/i.exec(given.trim()) ?? [];
  if (v4 !== undefined) return /^(\d{1,3}\.){3}\d{1,3}$/.test(v4) ? URL.parse(`http://${v4}`)?.hostname : undefined;
  const address = bracketed ?? v6;
  return address === undefined ? undefined : networkOfV6(URL.parse(`http://[${address}]`)?.hostname.slice(1, -1));
}

/** Of an address as the URL parser writes it. */
function networkOfV6(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  // IPv4 over a socket for both: every host of the IPv4 internet would share one /64.
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(address) ?? [];
  if (high !== undefined && low !== undefined) {
    const bits = [high, low].map((part) => Number.parseInt(part, 16));
    return bits.flatMap((part) => [part >> 8, part & 255]).join('.');
  }
  const [before = '', after] = address.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const zeros = after === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`;
}
