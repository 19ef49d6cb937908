import { expect, it } from 'vitest';
import { storedFailure } from '../../src/actors/stored-failure.ts';

const read = (details: object): unknown => storedFailure({ code: 'scope_not_granted', phase: 'token', details })?.details;

it('a failure of another process names the scopes that are missing, and nothing that is no scope (TOK-04)', () => {
  expect(read({ missingScopes: ['read', 'https://example.com/write'] })).toEqual({ missingScopes: ['read', 'https://example.com/write'] });
  for (const bent of ['\u001b]0;title\u0007', 'two words', '', 'x'.repeat(301)])
    expect(read({ missingScopes: ['read', bent] })).toEqual({});
  expect(read({ missingScopes: Array(101).fill('read') })).toEqual({});
});
