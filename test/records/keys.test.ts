import { describe, expect, it } from 'vitest';
import { digest, freshVaultKey, isInVaultPlace, recordKey } from '../../src/records/keys.ts';

describe('record keys', () => {
  it('cannot be made to name the record of another issuer, account or resource (ISS-01)', () => {
    const parts = ['a', 'b', 'a/b', 'a%2Fb', '', 'https://a', 'https://a/', 'https://a/b', '../a', 'a b', 'A', 'é', 'e\u0301'];
    const keys = new Set<string>();
    for (const resource of parts) {
      for (const issuer of parts) keys.add(recordKey('credential', resource, issuer));
    }
    expect(keys.size).toBe(parts.length ** 2);
  });

  it('are printable ASCII', () => {
    expect(recordKey('credential', 'https://ünï.example/\n', 'a b')).toMatch(/^[\x21-\x7e]+$/);
  });

  it('refuse text that has no encoding', () => {
    expect(() => recordKey('credential', '\ud800')).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ code: 'invalid_configuration' }) }),
    );
  });

  it('of new vault entries never come twice', () => {
    expect(freshVaultKey('tokens', 'a')).not.toBe(freshVaultKey('tokens', 'a'));
  });

  it('of vault entries tell whose they are (ISS-01)', () => {
    const key = freshVaultKey('tokens', 'a', 'b');
    expect(isInVaultPlace(key, ['tokens', 'a', 'b'])).toBe(true);
    for (const place of [
      ['tokens', 'a'],
      ['tokens', 'a', ''],
      ['tokens', 'b', 'b'],
      ['secret', 'a', 'b'],
      ['tokens', 'a', 'b', ''],
    ]) {
      expect(isInVaultPlace(key, place as [string, ...string[]])).toBe(false);
    }
  });

  it('can be a digest, which is SHA-256 in base64url', async () => {
    expect(await digest('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
  });
});
