/**
 * How close a host is to the machine that asks (SEC-03): out on the internet, in a
 * private network, on this link, on this machine. By the special-purpose registries
 * of IANA (RFC 6890 and its updates); what they do not list as reachable from
 * everywhere is not public.
 *
 * Pure, and of our own: the parsers are those of URLs, and the table is the rule
 * (decision 0015). Left out: network-specific NAT64 prefixes, which look like any
 * other public address, and ISATAP, which nobody routes.
 */

/**
 * `metadata`: where clouds give out the credentials of a machine. `special`:
 * addresses at which there is no server (multicast, broadcast, documentation,
 * reserved), and what is no address at all.
 */
export type Reach = 'public' | 'private' | 'link-local' | 'loopback' | 'metadata' | 'special';

type Range = readonly [network: string, prefixLength: number, reach: Reach];

/** The first that matches counts. */
const RANGES_4: readonly Range[] = [
  ['169.254.0.0', 16, 'link-local'],
  ['100.100.100.200', 32, 'metadata'], // Alibaba Cloud
  ['168.63.129.16', 32, 'metadata'], // Azure
  ['192.0.0.192', 32, 'metadata'], // Oracle Cloud
  ['127.0.0.0', 8, 'loopback'],
  ['0.0.0.0', 8, 'loopback'], // "this host": systems connect it to themselves
  ['10.0.0.0', 8, 'private'],
  ['172.16.0.0', 12, 'private'],
  ['192.168.0.0', 16, 'private'],
  ['100.64.0.0', 10, 'private'], // carrier-grade NAT, RFC 6598
  ['198.18.0.0', 15, 'private'], // benchmarks, RFC 2544; also made up by proxies
  ['192.0.0.0', 24, 'special'],
  ['192.0.2.0', 24, 'special'],
  ['198.51.100.0', 24, 'special'],
  ['203.0.113.0', 24, 'special'],
  ['192.88.99.0', 24, 'special'], // 6to4 relays, RFC 7526
  ['224.0.0.0', 4, 'special'],
  ['240.0.0.0', 4, 'special'], // reserved, and broadcast
];

const RANGES_6: readonly Range[] = [
  ['::', 128, 'loopback'], // as 0.0.0.0
  ['::1', 128, 'loopback'],
  ['fe80::', 10, 'link-local'],
  ['fd00:ec2::254', 128, 'metadata'], // Amazon
  ['fc00::', 7, 'private'], // unique local, RFC 4193
  ['fec0::', 10, 'private'], // site local, RFC 3879
  ['64:ff9b:1::', 48, 'private'], // NAT64 of a local network, RFC 8215
  ['2001::', 23, 'special'], // protocol assignments, Teredo among them
  ['2001:db8::', 32, 'special'],
  ['3fff::', 20, 'special'],
  ['2000::', 3, 'public'],
  ['::', 0, 'special'],
];

/** IPv6 addresses that stand for an IPv4 address, and how many bits follow it. */
const EMBEDDED: readonly (readonly [network: string, prefixLength: number, bitsBehind: number])[] = [
  ['::ffff:0:0', 96, 0], // IPv4-mapped
  ['::ffff:0:0:0', 96, 0], // IPv4-translated, RFC 7915
  ['64:ff9b::', 96, 0], // NAT64, RFC 6052
  ['2002::', 16, 80], // 6to4, RFC 3056
  ['::', 96, 0], // IPv4-compatible, RFC 4291; after `::` and `::1`
];

const LOOPBACK_NAMES = /^(localhost|localhost\.localdomain|localhost[46]|ip6-localhost|ip6-loopback)$|\.localhost$/;
const METADATA_NAMES = /^(metadata|instance-data|metadata\.goog|metadata\.google\.internal|instance-data\.ec2\.internal)$/;
/** RFC 6762 with its appendix G, RFC 8375, and `.internal` by ICANN: names that lead nowhere on the internet. */
const PRIVATE_NAMES = /\.(local|internal|intranet|private|corp|home|lan|localdomain|home\.arpa)$/;

/** Of the hostname of a parsed URL: a parser has turned every spelling of an IPv4 address into the usual one. */
export function hostReach(hostname: string): Reach {
  if (isAddress(hostname)) return addressReach(hostname);
  const name = hostname.toLowerCase().replace(/\.+$/, '');
  if (LOOPBACK_NAMES.test(name)) return 'loopback';
  if (METADATA_NAMES.test(name)) return 'metadata';
  // Without a dot only a search list or a hosts file finds it.
  return PRIVATE_NAMES.test(name) || !name.includes('.') ? 'private' : 'public';
}

/** Whether the hostname of a parsed URL is an address, and no name. */
export function isAddress(hostname: string): boolean {
  return hostname.startsWith('[') || parse4(hostname) !== undefined;
}

/** Of an IPv4 address in four decimal parts or an IPv6 address, with or without brackets and zone; anything else is `special`. */
export function addressReach(address: string): Reach {
  const bits4 = parse4(address);
  if (bits4 !== undefined) return reach4(bits4);
  const bits6 = parse6(address);
  if (bits6 === undefined) return 'special';
  if (bits6 > 1n) {
    for (const [network, length, behind] of EMBEDDED) {
      if (isWithin(bits6, network, length)) return reach4((bits6 >> BigInt(behind)) & 0xffff_ffffn);
    }
  }
  return RANGES_6.find(([network, length]) => isWithin(bits6, network, length))?.[2] ?? 'special';
}

function reach4(bits: bigint): Reach {
  return (
    RANGES_4.find(([network, length]) => bits >> BigInt(32 - length) === (parse4(network) ?? 0n) >> BigInt(32 - length))?.[2] ?? 'public'
  );
}

function isWithin(bits: bigint, network: string, prefixLength: number): boolean {
  const behind = BigInt(128 - prefixLength);
  return bits >> behind === (parse6(network) ?? 0n) >> behind;
}

function parse4(text: string): bigint | undefined {
  // Leading zeros are octal to some and decimal to others: whoever writes them gets no benefit of the doubt.
  if (!/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text)) return undefined;
  const parts = text.split('.').map(Number);
  return parts.every((part) => part <= 255) ? parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n) : undefined;
}

function parse6(text: string): bigint | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  if (!/^[\da-f:.]+$/i.test(bare)) return undefined;
  // The URL parser knows every way to write one, and writes it in one way: groups in hex, the longest run of zeros as `::`.
  const hostname = URL.parse(`http://[${bare}]/`)?.hostname;
  if (hostname === undefined) return undefined;
  const [before = '', after] = hostname.slice(1, -1).split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [left, right] = [groups(before), groups(after ?? '')];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}
