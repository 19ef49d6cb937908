import { describe, expect, it } from 'vitest';
import { type Failure, FailureError } from '../../src/failure.ts';
import { checkAuthorizationResponse, readCallback } from '../../src/protocol/authorization-response.ts';
import { constantTimeEqual } from '../../src/protocol/constant-time-equal.ts';

const issuer = 'https://as.example.com';
const advertised = { issuer, authorization_response_iss_parameter_supported: true };
const silent = { issuer };

function callback(parameters: Record<string, string> | readonly (readonly [string, string])[]): string {
  const pairs = Array.isArray(parameters) ? parameters : Object.entries(parameters);
  return `http://127.0.0.1:49152/callback?${new URLSearchParams(pairs as [string, string][])}`;
}

function check(callbackUrl: string, metadata: typeof silent = silent): URLSearchParams {
  return checkAuthorizationResponse({ callbackUrl, metadata, clientId: 'client-1', expectedState: 'state-1' }).validated;
}

function failureOf(act: () => unknown): Failure {
  try {
    act();
  } catch (error) {
    if (error instanceof FailureError) return error.failure;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const good = { code: 'code-1', state: 'state-1' };
const refused = { error: 'access_denied', error_description: 'planted text', state: 'state-1' };

describe('the issuer of an authorization response', () => {
  it('must be the expected one when it is advertised and present (ISS-08, row 1)', () => {
    expect(check(callback({ ...good, iss: issuer }), advertised).get('code')).toBe('code-1');
    const failure = failureOf(() => check(callback({ ...good, iss: 'https://evil.example' }), advertised));
    expect(failure).toMatchObject({ code: 'callback_issuer_mismatch', details: { expected: issuer, received: 'https://evil.example' } });
  });

  it('must be there when it is advertised (ISS-08, row 2)', () => {
    expect(failureOf(() => check(callback(good), advertised)).code).toBe('callback_issuer_missing');
  });

  it('must be the expected one when it is present, advertised or not (ISS-08, row 3)', () => {
    for (const metadata of [silent, { issuer, authorization_response_iss_parameter_supported: false }]) {
      expect(check(callback({ ...good, iss: issuer }), metadata).get('code')).toBe('code-1');
      expect(failureOf(() => check(callback({ ...good, iss: 'https://evil.example' }), metadata)).code).toBe('callback_issuer_mismatch');
    }
  });

  it('may be missing when it is not advertised (ISS-08, row 4)', () => {
    expect(check(callback(good), silent).get('code')).toBe('code-1');
  });

  it.each([
    ['a trailing slash', `${issuer}/`],
    ['a default port', 'https://as.example.com:443'],
    ['another case', 'https://AS.example.com'],
    ['percent encoding', 'https://as.example.com/%7Ea'],
    ['white space', ` ${issuer}`],
    ['no value', ''],
  ])('is compared as plain text: %s makes it another (ISS-08)', (_difference, iss) => {
    for (const metadata of [silent, advertised]) {
      expect(failureOf(() => check(callback({ ...good, iss }), metadata)).code).toBe('callback_issuer_mismatch');
    }
  });

  it.each([
    ['a wrong issuer', { ...refused, iss: 'https://evil.example' }, silent, 'callback_issuer_mismatch'],
    ['a missing issuer', refused, advertised, 'callback_issuer_missing'],
  ] as const)('of an error callback is checked before any of its text is shown: %s (ISS-08)', (_what, parameters, metadata, code) => {
    const failure = failureOf(() => check(callback(parameters), metadata));
    expect(failure.code).toBe(code);
    expect(JSON.stringify(failure)).not.toMatch(/planted|access_denied/);
  });

  it('of an error callback lets the error through when it is the expected one (ISS-08)', () => {
    expect(failureOf(() => check(callback({ ...refused, iss: issuer }), advertised)).code).toBe('authorization_denied');
  });
});

describe('error callbacks', () => {
  it('tells the refusal of the user from every other error (AUT-06)', () => {
    expect(failureOf(() => check(callback(refused)))).toMatchObject({ code: 'authorization_denied', action: 'none' });
    expect(failureOf(() => check(callback({ ...refused, error: 'server_error' })))).toMatchObject({
      code: 'authorization_rejected',
      details: { issuer, oauthError: 'server_error', oauthErrorDescription: 'planted text' },
    });
  });

  it('stays an error when a code comes with it (AUT-06)', () => {
    expect(failureOf(() => check(callback({ ...refused, ...good }))).code).toBe('authorization_denied');
  });

  it('strips and bounds what the server wrote (AUT-06)', () => {
    const failure = failureOf(() =>
      check(callback({ ...refused, error: 'x\u0000y'.repeat(200), error_description: `a\r\nb\u202e${'c'.repeat(5000)}` })),
    );
    const { oauthError, oauthErrorDescription } = failure.details;
    expect(`${oauthError}${oauthErrorDescription}`).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(`${oauthError}${oauthErrorDescription}`.length).toBeLessThan(500);
  });
});

describe('the form of a callback', () => {
  it.each(['code', 'state', 'iss', 'error', 'error_description'])('is refused with two %s parameters', (name) => {
    const pairs = [...Object.entries({ ...good, iss: issuer }), [name, 'one'], [name, 'two']] as [string, string][];
    expect(failureOf(() => check(callback(pairs))).code).toBe('callback_invalid');
    expect(failureOf(() => readCallback(callback(pairs))).code).toBe('callback_invalid');
  });

  it.each(['response', 'access_token', 'id_token', 'token'])('is refused with %s, which was not asked for', (name) => {
    expect(failureOf(() => check(callback({ ...good, [name]: 'x' }))).code).toBe('callback_invalid');
  });

  it.each([
    ['no state', { code: 'code-1' }],
    ['another state', { ...good, state: 'state-2' }],
    ['a longer state', { ...good, state: 'state-1-' }],
    ['neither code nor error', { state: 'state-1' }],
    ['an empty code', { code: '', state: 'state-1' }],
  ])('is refused with %s', (_what, parameters) => {
    const failure = failureOf(() => check(callback(parameters)));
    expect(failure.code).toBe('callback_invalid');
    expect(JSON.stringify(failure)).not.toMatch(/code-1|state-\d/);
  });

  it('is refused when it is no URL', () => {
    expect(failureOf(() => check('code=code-1&state=state-1')).code).toBe('callback_invalid');
  });

  it("may carry parameters of the server's own", () => {
    expect(check(callback({ ...good, session_state: 's', scope: 'a b', authuser: '0' })).get('code')).toBe('code-1');
  });

  it('tells by its state which attempt it claims, before anything is checked', () => {
    expect(readCallback(callback(good)).state).toBe('state-1');
    expect(readCallback(callback({ code: 'code-1' })).state).toBeUndefined();
  });
});

it('compares texts of any length without regard to where they differ', () => {
  expect(constantTimeEqual('abc', 'abc')).toBe(true);
  for (const [a, b] of [
    ['abc', 'abd'],
    ['abc', 'ab'],
    ['ab', 'abc'],
    ['', 'a'],
    ['a', ''],
    ['abab', 'ab'],
  ] as const) {
    expect(constantTimeEqual(a, b)).toBe(false);
  }
  expect(constantTimeEqual('', '')).toBe(true);
});
