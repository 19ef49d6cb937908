import { describe, expect, it } from 'vitest';
import type { AuthorizationHostOptions } from '../../src/host/host-options.ts';
import { hostedScene } from '../helpers/hosted-scene.ts';
import { failureOfCall } from '../helpers/waiting.ts';

const INNER = { resolve: async (hostname: string) => (hostname === 'login.example.com' ? ['10.0.0.5'] : ['8.8.8.8']) };
const isLogin = ({ hostname }: URL): boolean => hostname === 'login.example.com';

type Setting = Pick<AuthorizationHostOptions, 'serverUrls' | 'configure'>;

/** Which step a login comes to, or the code that ends it. */
async function comesTo(host: Setting): Promise<string> {
  const scene = hostedScene({ host });
  const client = scene.host.client({ resource: scene.servers.resource.url, account: 'ann' });
  const begun = client.beginAuthorization();
  return begun.then(
    ({ step }) => step,
    async () => (await failureOfCall(begun)).code,
  );
}

describe('where servers may send the flows of a host', () => {
  it.each<[string, Setting]>([
    ['by default', { serverUrls: INNER }],
    ['with exceptions for others', { serverUrls: { ...INNER, except: () => false } }],
    ['with options for one resource', { configure: () => ({ serverUrls: INNER }) }],
    [
      'with a rule for one resource',
      { serverUrls: { ...INNER, rule: 'standard' }, configure: () => ({ serverUrls: { ...INNER, rule: 'strict' } }) },
    ],
  ])('is not where names lead inside, %s (SEC-03)', async (_name, setting) => {
    expect(await comesTo(setting)).toBe('url_refused_by_policy');
  });

  it.each<[string, Setting]>([
    ['what the operator excepts', { serverUrls: { ...INNER, except: isLogin } }],
    ['what the operator excepts for one resource', { configure: () => ({ serverUrls: { ...INNER, except: isLogin } }) }],
    ['names that look public where the operator wants the standard rule', { serverUrls: { ...INNER, rule: 'standard' } }],
  ])('may be %s (SEC-03)', async (_name, setting) => {
    expect(await comesTo(setting)).toBe('awaiting-user');
  });
});
