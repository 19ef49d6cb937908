import { BlockList, isIPv4 } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addressReach, hostReach, isAddress, type Reach } from '../../src/protocol/address-reach.ts';
import { seededRandom } from '../helpers/random.ts';

const ADDRESSES: Readonly<Record<Reach, readonly string[]>> = {
  public: ['8.8.8.8', '172.15.255.255', '172.32.0.0', '100.63.255.255', '100.128.0.0', '169.253.0.1', '2606:4700::1111', '2a00::1'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '198.19.255.255', 'fd12::1', 'fcff::1', 'fec0::1'],
  'link-local': ['169.254.169.254', '169.254.170.2', 'fe80::1', 'febf::1', 'fe80::1%eth0', 'fe80::1%2'],
  loopback: ['127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '::1', '::', '0:0:0:0:0:0:0:1'],
  metadata: ['100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254'],
  special: [
    ...['224.0.0.251', '239.255.255.255', '240.0.0.1', '255.255.255.255', '192.0.2.1', '198.51.100.1', '203.0.113.1', '192.88.99.1'],
    ...['ff02::1', '2001:db8::1', '3fff::1', '100::1', '4000::1', '5f00::1', '2001:0:7f00:1::1'],
    ...['', 'localhost', '1.2.3', '1.2.3.4.5', '256.1.1.1', '010.0.0.1', '8.8.8.8 ', '1::2::3', '2606:4700::1111]/[', 'g::1'],
  ],
};

describe('the reach of an address', () => {
  it.each(Object.entries(ADDRESSES))('is %s by the registries (SEC-03)', (reach, addresses) => {
    for (const address of addresses) expect(addressReach(address), address).toBe(reach);
  });

  it('is that of the IPv4 address an IPv6 address stands for (SEC-03)', () => {
    const mapped = (ipv4: string): string[] => [
      `::ffff:${ipv4}`,
      `::ffff:0:${ipv4}`,
      `64:ff9b::${ipv4}`,
      `::${ipv4}`,
      `2002:${new URL(`http://[::${ipv4}]`).hostname.slice(3, -1)}::1`,
    ];
    for (const address of mapped('8.8.8.8')) expect(addressReach(address), address).toBe('public');
    for (const address of mapped('169.254.169.254')) expect(addressReach(address), address).toBe('link-local');
    for (const address of mapped('10.1.2.3')) expect(addressReach(address), address).toBe('private');
    for (const address of mapped('127.1.2.3')) expect(addressReach(address), address).toBe('loopback');
    expect(addressReach('64:ff9b:1::808:808')).toBe('private');
  });

  it('agrees with the platform on what lies inside a network (SEC-03)', () => {
    const platform = new BlockList();
    const networks4 = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '198.18.0.0/15'];
    for (const network of [...networks4, 'fc00::/7', 'fec0::/10', '64:ff9b:1::/48']) {
      const [address = '', prefix] = network.split('/');
      platform.addSubnet(address, Number(prefix), isIPv4(address) ? 'ipv4' : 'ipv6');
    }
    const random = seededRandom(1);
    const below = (most: number): number => Math.floor(random.next() * most);
    const edges4 = ['9.255', '10.0', '10.255', '11.0', '100.63', '100.64', '100.127', '100.128', '172.15', '172.16', '172.31', '172.32'];
    const edges6 = ['64:ff9b:1', 'fbff:1:2', 'fc00:0:0', 'fdff:ffff:1', 'febf:1:1', 'fec0:0:0', 'feff:1:1', '2a00:1:1'];
    const addresses = Array.from({ length: 4_000 }, () => [
      `${random.pick([...edges4, '192.167', '192.168', '192.169', '198.17', '198.19', '198.20'])}.${below(256)}.${below(256)}`,
      `${random.pick(edges6)}:${[1, 2, 3, 4, 5].map(() => below(65_536).toString(16)).join(':')}`,
    ]).flat();
    const isInside = (address: string): boolean => platform.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
    expect(addresses.filter((address) => isInside(address) !== (addressReach(address) === 'private'))).toEqual([]);
  });
});

describe('the reach of a host in a URL', () => {
  const of = (host: string): Reach => hostReach(new URL(`https://${host}/path`).hostname);

  it('is that of its address, however it is spelled (SEC-03)', () => {
    const loopback = [
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '127.1',
      '127.0.1',
      '0x7f.1',
      '127.0.0.1.',
      '%31%32%37.0.0.1',
      '１２７。０。０。１',
    ];
    for (const host of [...loopback, '[::1]', '[::ffff:127.0.0.1]', '[0:0:0:0:0:ffff:7f00:1]', '0'])
      expect(of(host), host).toBe('loopback');
    for (const host of ['2852039166', '0xa9fea9fe', '169.254.43518', '[::ffff:a9fe:a9fe]']) expect(of(host), host).toBe('link-local');
    expect(of('8.8.8.8')).toBe('public');
  });

  it('is that of names with a meaning of their own, with a dot at the end or without, in any case (SEC-03)', () => {
    for (const host of [
      'localhost',
      'LOCALHOST',
      'localhost.',
      'a.b.localhost',
      'Api.LocalHost.',
      'localhost.localdomain',
      'ip6-localhost',
    ])
      expect(of(host), host).toBe('loopback');
    for (const host of ['printer.local', 'idp.corp.internal', 'nas.home.arpa', 'idp.lan', 'keycloak', 'intranet.', 'a.corp.'])
      expect(of(host), host).toBe('private');
    for (const host of ['metadata.google.internal', 'metadata.google.internal.', 'metadata.goog', 'metadata'])
      expect(of(host), host).toBe('metadata');
    for (const host of [
      'mcp.example.com',
      'local.example',
      'internal.example.com',
      'localhost.example.com',
      'notlocalhost.dev',
      'mylocal.dev',
    ])
      expect(of(host), host).toBe('public');
  });

  it('tells addresses from names (SEC-03)', () => {
    expect(['127.0.0.1', '[::1]', 'localhost', 'a.1'].map(isAddress)).toEqual([true, true, false, false]);
  });
});
