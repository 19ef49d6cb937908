import { describe, expect, it } from 'vitest';
import type { AuthorizationHostOptions } from '../../src/host/host-options.ts';
import { createAuthorizationHost } from '../../src/host.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { hostedScene, REDIRECT_URI, urlToApprove } from '../helpers/hosted-scene.ts';
import { problemsOf } from '../helpers/problems-of.ts';
import { failureOfCall } from '../helpers/waiting.ts';

const GOOD: AuthorizationHostOptions = { store: memoryStore(), redirectUri: REDIRECT_URI, identify: () => undefined };

const problemsOfHost = (options: object): readonly string[] =>
  problemsOf(() => createAuthorizationHost(options as AuthorizationHostOptions));

describe('the options of a host', () => {
  it('are complete with a store, a redirect URI and whose browser it is', () => {
    expect(problemsOfHost(GOOD)).toEqual([]);
    expect(
      problemsOfHost({ ...GOOD, redirectUri: 'http://127.0.0.1:3000/callback', afterLogin: '/done', idleMs: 1, maxClients: 1 }),
    ).toEqual([]);
  });

  it('cannot leave out whose browser a callback comes from (AUT-05)', () => {
    const { identify: _, ...without } = GOOD;
    expect(problemsOfHost(without)).toEqual([expect.stringMatching(/^`identify` is missing/)]);
    expect(problemsOfHost({ ...GOOD, identify: true })).toEqual([expect.stringMatching(/^`identify` is missing/)]);
  });

  it('are refused with every mistake at once', () => {
    const problems = problemsOfHost({
      redirectUri: 'http://app.example.com/callback',
      resource: 'https://mcp.example.com/mcp',
      account: 'ann',
      userAgent: {},
      clientMetadata: { redirect_uris: [REDIRECT_URI] },
      idleMs: 0,
      maxClients: Number.NaN,
      configure: {},
      onUserNeeded: 'mail',
      limits: { leaseMs: 0 },
      provider: true,
    });
    expect(problems.map((problem) => /^`[^`]+`/.exec(problem)?.[0]).sort()).toEqual(
      [
        '`account`',
        '`clientMetadata.redirect_uris`',
        '`configure`',
        '`identify`',
        '`idleMs`',
        '`limits.leaseMs`',
        '`maxClients`',
        '`onUserNeeded`',
        '`provider`',
        '`redirectUri`',
        '`resource`',
        '`store`',
        '`userAgent`',
      ].sort(),
    );
    expect(problemsOfHost(undefined as never)).toEqual(['The options are missing.']);
  });

  it.each([
    ['http', 'http://app.example.com/'],
    ['a script', 'javascript:alert(1)'],
    ['no URL', 'https://'],
    ['a number', 7],
  ])('are refused an `afterLogin` that is %s (SEC-04)', (_name, afterLogin) => {
    expect(problemsOfHost({ ...GOOD, afterLogin })).toEqual([expect.stringMatching(/^`afterLogin`/)]);
  });

  it.each(['http://app.example.com/callback', 'https://app.example.com/callback#here', 'app://callback', '/callback', undefined])(
    'are refused the redirect URI %s',
    (redirectUri) => {
      expect(problemsOfHost({ ...GOOD, redirectUri })).toEqual([expect.stringMatching(/^`redirectUri`/)]);
    },
  );
});

describe('the client of a host', () => {
  const host = createAuthorizationHost(GOOD);

  it.each([undefined, '', 7, null])('is nobody’s without an account: %s (STO-04)', (account) => {
    expect(problemsOf(() => host.client({ resource: 'https://mcp.example.com/mcp', account: account as string }))).toHaveLength(1);
  });

  it.each(['http://mcp.example.com/mcp', 'mcp', undefined])('is for a resource that tokens can be sent to: not %s', (resource) => {
    expect(problemsOf(() => host.client({ resource: resource as string, account: 'ann' }))).toHaveLength(1);
  });

  it('has what differs by resource or account from `configure`, in every worker (RES-06)', async () => {
    const configure: AuthorizationHostOptions['configure'] = ({ account }) => ({ scope: `read-${account}` });
    const world = hostedScene({ host: { configure } });
    const url = await urlToApprove(world.host, 'ann', world);
    expect(new URL(url).searchParams.get('scope')).toBe('read-ann');
    expect((await world.worker().handleCallback(await world.approve(url, 'ann'))).status).toBe(200);
  });

  it('is refused what only the host decides: another store would be another worker’s blind spot (STO-04)', async () => {
    const configure = () => ({ store: memoryStore(), account: 'mallory' }) as object;
    const world = hostedScene({ host: { configure } });
    const failure = await failureOfCall(world.host.client({ resource: world.servers.resource.url, account: 'ann' }).restore());
    expect(failure).toMatchObject({
      code: 'invalid_configuration',
      details: { problems: [expect.stringContaining('`store`'), expect.stringContaining('`account`')] },
    });
  });
});
