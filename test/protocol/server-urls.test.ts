import { describe, expect, it } from 'vitest';
import { type Failure, FailureError } from '../../src/failure.ts';
import type { ServerUrlExceptions, UrlPurpose } from '../../src/options.ts';
import { createUrlCheck, type UrlCheckOptions } from '../../src/protocol/server-urls.ts';
import { failureOfPromise } from '../helpers/local-server.ts';

const PUBLIC = 'https://mcp.example.com/mcp';
const PRIVATE = 'https://10.1.2.3/mcp';
const LOOPBACK = 'http://localhost:3000/mcp';
const LINK_LOCAL = 'https://169.254.7.7/mcp';

type Names = Readonly<Record<string, readonly string[]>>;
type Asking = Partial<UrlCheckOptions> & { readonly names?: Names; readonly purpose?: UrlPurpose };

/** `ok`, or the code it fails with; names resolve as told and not at all otherwise. */
async function outcome(url: string, asking: Asking = {}): Promise<string> {
  return (await failureFor(url, asking))?.code ?? 'ok';
}

async function failureFor(url: string, { names = {}, purpose = 'token', serverUrls, ...options }: Asking): Promise<Failure | undefined> {
  const resolve = async (hostname: string): Promise<readonly string[]> => {
    const addresses = names[hostname];
    if (addresses === undefined) throw Object.assign(new Error('getaddrinfo secret'), { code: 'ENOTFOUND' });
    return addresses;
  };
  const given: ServerUrlExceptions = { resolve, ...(typeof serverUrls === 'string' ? { rule: serverUrls } : serverUrls) };
  const check = createUrlCheck({ resource: PUBLIC, limits: { requestTimeoutMs: 5_000 }, ...options, serverUrls: given });
  try {
    await check(url, { phase: 'token', purpose });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof FailureError) return thrown.failure;
    throw thrown;
  }
}

const REFUSED = 'url_refused_by_policy';

describe('what a URL says', () => {
  const targets: Readonly<Record<string, readonly string[]>> = {
    public: ['https://login.example.com/token', 'https://8.8.8.8/token', 'https://[2606:4700::1111]/token'],
    private: ['https://10.0.0.5/token', 'https://[fd00::5]/token', 'https://idp.corp.internal/token', 'https://keycloak:8443/token'],
    loopback: [
      'http://127.0.0.1:9000/token',
      'http://localhost/token',
      'https://a.localhost/token',
      'https://0.0.0.0/token',
      'http://[::1]/',
    ],
    'link-local': ['https://169.254.169.254/token', 'https://[fe80::1]/token', 'https://[::ffff:169.254.169.254]/token'],
    metadata: ['https://metadata.google.internal/token', 'https://[fd00:ec2::254]/token', 'https://168.63.129.16/token'],
    special: ['https://224.0.0.1/token', 'https://255.255.255.255/token', 'https://[ff02::1]/token'],
  };
  const may: readonly (readonly [resource: string, ...allowed: string[]])[] = [
    [PUBLIC, 'public'],
    [PRIVATE, 'public', 'private'],
    [LINK_LOCAL, 'public', 'private', 'link-local'],
    [LOOPBACK, 'public', 'private', 'loopback'],
  ];

  it.each(may)('may lead from %s no closer than the resource is (SEC-03)', async (resource, ...allowed) => {
    for (const [reach, urls] of Object.entries(targets)) {
      for (const url of urls) expect(await outcome(url, { resource }), url).toBe(allowed.includes(reach) ? 'ok' : REFUSED);
    }
  });

  it('is not asked about on the origin of the resource, wherever that is (SEC-03)', async () => {
    for (const resource of [PRIVATE, LOOPBACK, LINK_LOCAL, 'https://metadata.google.internal/mcp', 'https://192.0.2.1/mcp'])
      expect(await outcome(new URL('/token', resource).href, { resource, serverUrls: 'strict' }), resource).toBe('ok');
    expect(await outcome('https://192.0.2.1:8443/token', { resource: 'https://192.0.2.1/mcp' })).toBe(REFUSED);
  });

  it('counts for the page that the user is sent to as well (SEC-03)', async () => {
    expect(await outcome('http://127.0.0.1:8080/authorize', { purpose: 'authorization' })).toBe(REFUSED);
  });

  it('refuses with the place and both hosts, and without query (SEC-03, SEC-01)', async () => {
    expect(await failureFor('https://10.0.0.5/token?code=secret', {})).toMatchObject({
      code: REFUSED,
      phase: 'token',
      action: 'report-to-server',
      retryable: false,
      advice: expect.stringContaining('serverUrls.except'),
      details: {
        url: 'https://10.0.0.5/token',
        reason: '10.0.0.5 is a place in a private network, and the resource mcp.example.com is not there.',
      },
    });
  });
});

describe('the standard rule', () => {
  it('does not ask for the addresses of names that look public (SEC-03)', async () => {
    const asked: string[] = [];
    const resolve = async (hostname: string) => {
      asked.push(hostname);
      return ['10.0.0.1'];
    };
    expect(await outcome('https://login.example.com/token', { serverUrls: { resolve } })).toBe('ok');
    expect(asked).toEqual([]);
  });

  it('lets private places pass where the resource leads to private addresses alone (SEC-03)', async () => {
    const inside = { 'mcp.example.com': ['10.0.0.4', 'fd00::4'] };
    expect(await outcome('https://10.0.0.5/token', { names: inside })).toBe('ok');
    expect(await outcome('https://idp.corp.internal/token', { names: inside })).toBe('ok');
    for (const names of [{ 'mcp.example.com': ['10.0.0.4', '8.8.8.8'] }, { 'mcp.example.com': [] }, {}])
      expect(await outcome('https://10.0.0.5/token', { names })).toBe(REFUSED);
    expect(await outcome('https://10.0.0.5/token', { names: inside, serverUrls: { resolve: false } })).toBe(REFUSED);
  });

  it('lets nobody claim to be on this machine by a name: who owns the name says where it leads (SEC-03)', async () => {
    const names = { 'mcp.example.com': ['127.0.0.1'] };
    expect(await outcome('http://localhost:9000/token', { names })).toBe(REFUSED);
    expect(await outcome('http://127.0.0.1:9000/token', { names })).toBe(REFUSED);
    expect(await outcome('https://169.254.169.254/token', { names: { 'mcp.example.com': ['169.254.1.1'] } })).toBe(REFUSED);
  });
});

describe('the strict rule', () => {
  const serverUrls = 'strict';
  const at = (...addresses: readonly string[]): Names => ({ 'login.example.com': addresses });
  const url = 'https://login.example.com/token';

  it('judges every address of a name, and one that is too close is enough (SEC-03)', async () => {
    expect(await outcome(url, { serverUrls, names: at('8.8.8.8', '2606:4700::1111') })).toBe('ok');
    for (const bad of [
      '10.0.0.5',
      '127.0.0.1',
      '169.254.169.254',
      '::1',
      '::ffff:10.0.0.5',
      'fe80::1%eth0',
      '64:ff9b::a00:5',
      'nonsense',
      '',
    ])
      expect(await outcome(url, { serverUrls, names: at('8.8.8.8', bad) }), bad).toBe(REFUSED);
  });

  it('says where a name leads, but not to which address (SEC-03)', async () => {
    const failure = await failureFor(url, { serverUrls, names: at('10.0.0.5') });
    expect(failure?.details.reason).toBe(
      'login.example.com leads to a place in a private network, and the resource mcp.example.com is not there.',
    );
    expect(JSON.stringify(failure)).not.toContain('10.0.0.5');
  });

  it('takes the resource for private only if its URL says so (SEC-03)', async () => {
    const names = { 'mcp.example.com': ['10.0.0.4'], ...at('10.0.0.5') };
    expect(await outcome(url, { serverUrls, names })).toBe(REFUSED);
    expect(await outcome('https://10.0.0.5/token', { serverUrls, names })).toBe(REFUSED);
    expect(await outcome(url, { serverUrls, names, resource: 'https://mcp.corp.internal/mcp' })).toBe('ok');
    expect(await outcome(url, { serverUrls, names: at('127.0.0.1'), resource: PRIVATE })).toBe(REFUSED);
  });

  it('leaves the names of authorization pages to the user’s browser (SEC-03)', async () => {
    expect(await outcome(url, { serverUrls, purpose: 'authorization' })).toBe('ok');
  });

  it('is a network failure, worth another try, where a name has no address (SEC-03)', async () => {
    for (const names of [{}, at()]) {
      const failure = await failureFor(url, { serverUrls, names });
      expect(failure).toMatchObject({ code: 'network_unreachable', retryable: true });
      expect(failure?.details.reason).toMatch(/^Its name could not be resolved/);
      expect(JSON.stringify(failure)).not.toContain('secret');
    }
    const throwing = () => {
      throw new Error('secret');
    };
    expect(await outcome(url, { serverUrls: { rule: 'strict', resolve: throwing } })).toBe('network_unreachable');
  });

  it('waits for a resolver no longer than for a request (SEC-03, SEC-02)', async () => {
    const never = { rule: 'strict', resolve: () => new Promise<never>(() => {}) } as const;
    expect(await outcome(url, { serverUrls: never, limits: { requestTimeoutMs: 20 } })).toBe('network_timeout');
  });

  it('goes by what URLs say where a proxy resolves the names (SEC-03)', async () => {
    const proxied = { rule: 'strict', resolve: false } as const;
    expect(await outcome(url, { serverUrls: proxied })).toBe('ok');
    expect(await outcome('https://10.0.0.5/token', { serverUrls: proxied })).toBe(REFUSED);
  });

  it('asks the system unless told otherwise (SEC-03)', async () => {
    const system = (resource: string) => createUrlCheck({ resource, limits: { requestTimeoutMs: 5_000 }, serverUrls });
    const use = { phase: 'token', purpose: 'token' } as const;
    await expect(system('http://127.0.0.1:3000/mcp')('http://localhost:9000/token', use)).resolves.toBeUndefined();
    const failure = await failureOfPromise(system(PUBLIC)('https://name.invalid/token', use));
    expect([failure.code, failure.details.reason]).toEqual(['network_unreachable', expect.stringMatching(/could not be resolved/)]);
  });
});

describe('the exceptions', () => {
  it('are asked about what the rule refuses, and nothing else; only true lets it pass (SEC-03)', async () => {
    const asked: string[] = [];
    const except = (url: URL, purpose: UrlPurpose): boolean => {
      asked.push(`${purpose} ${url.href}`);
      return url.hostname === '10.0.0.5';
    };
    for (const rule of ['standard', 'strict'] as const) {
      expect(await outcome('https://10.0.0.5/token', { serverUrls: { rule, except } })).toBe('ok');
      expect(await outcome('https://10.0.0.6/token', { serverUrls: { rule, except } })).toBe(REFUSED);
      expect(await outcome('https://8.8.8.8/token', { serverUrls: { rule, except } })).toBe('ok');
    }
    expect(asked).toEqual([5, 6, 5, 6].map((last) => `token https://10.0.0.${last}/token`));
  });

  it('hold for where names lead, too (SEC-03)', async () => {
    const names = { 'login.example.com': ['10.0.0.5'] };
    const serverUrls = { rule: 'strict', except: async ({ hostname }: URL) => hostname.endsWith('.example.com') } as const;
    expect(await outcome('https://login.example.com/token', { names, serverUrls })).toBe('ok');
  });

  it('that throw, answer something else or try to change the URL except nothing (SEC-03)', async () => {
    const throwing = () => {
      throw new Error('secret');
    };
    const failure = await failureFor('https://10.0.0.5/token', { serverUrls: { except: throwing } });
    expect(failure?.code).toBe(REFUSED);
    expect(JSON.stringify(failure)).not.toContain('secret');
    const sloppy = (() => 'yes') as unknown as () => boolean;
    expect(await outcome('https://10.0.0.5/token', { serverUrls: { except: sloppy } })).toBe(REFUSED);
    const changing = (url: URL) => {
      url.hostname = 'login.example.com';
      return false;
    };
    expect((await failureFor('https://10.0.0.5/token', { serverUrls: { except: changing } }))?.details.url).toBe('https://10.0.0.5/token');
  });

  it('that never answer end with the time of a request (SEC-03, SEC-02)', async () => {
    const except = () => new Promise<never>(() => {});
    expect(await outcome('https://10.0.0.5/token', { serverUrls: { except }, limits: { requestTimeoutMs: 20 } })).toBe('network_timeout');
  });
});

describe('`allowUrl`', () => {
  it('may refuse what the rule lets pass, and is not asked about the rest (SEC-03)', async () => {
    const asked: string[] = [];
    const allowUrl = ({ hostname }: URL): boolean => asked.push(hostname) > 0 && hostname !== 'other.example.com';
    expect(await outcome('https://login.example.com/token', { allowUrl })).toBe('ok');
    expect(await outcome('https://other.example.com/token', { allowUrl })).toBe(REFUSED);
    expect(await outcome('https://10.0.0.5/token', { allowUrl })).toBe(REFUSED);
    expect(asked).toEqual(['login.example.com', 'other.example.com']);
  });

  it('refuses by throwing, and what it throws stays behind (SEC-03, SEC-01)', async () => {
    const allowUrl = () => {
      throw new Error('secret-policy');
    };
    const failure = await failureFor('https://login.example.com/token?token=secret-query', { allowUrl });
    expect(failure).toMatchObject({ code: REFUSED, details: { reason: 'The policy `allowUrl` refuses it.' } });
    expect(JSON.stringify(failure)).not.toContain('secret');
  });
});
