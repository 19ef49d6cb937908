import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TokenRejected, type TokenValidator, ValidatorUnavailable } from '../../src/gateway/token-validator.ts';
import { settled } from '../helpers/simulated-clock.ts';
import { challengeOf, protectedScene, requestWith, scriptedValidator } from './protected-scene.ts';
import { RESOURCE } from './token-issuer.ts';

describe('what a validator does becomes', () => {
  const answering = (validate: TokenValidator['validate']) => protectedScene({ validator: { validate } });

  it.each<[string, TokenValidator['validate']]>([
    [
      'a refusal',
      async () => {
        throw new TokenRejected();
      },
    ],
    [
      'an error of a library',
      async () => {
        throw new TypeError('unexpected end');
      },
    ],
    [
      'an error thrown at once',
      () => {
        throw new RangeError('x');
      },
    ],
    ['something thrown that is no error', () => Promise.reject('no')],
    ['`undefined` thrown', () => Promise.reject()],
    ['a result of nothing', async () => undefined as never],
    ['a result of false', async () => false as never],
    ['a result of true', async () => true as never],
    ['a result without scopes', async (token) => ({ token, claims: {} }) as never],
    ['a result without claims', async (token) => ({ token, scopes: [] }) as never],
    [
      'a refusal made by another copy of authchart',
      async () => {
        throw Object.assign(new Error('no'), { [Symbol.for('authchart.gateway.token-rejected')]: true });
      },
    ],
  ])('401 invalid_token and nothing else: %s (GWY-09)', async (_what, validate) => {
    const { handle, served } = answering(validate);
    const response = await handle(requestWith('Bearer some-token'));
    expect(response.status).toBe(401);
    expect(challengeOf(response)).toMatchObject({ error: 'invalid_token' });
    expect(served).toEqual([]);
  });

  it.each<[string, TokenValidator['validate'], string]>([
    [
      'an outage',
      async () => {
        throw new ValidatorUnavailable('down', { retryAfterSeconds: 17 });
      },
      '17',
    ],
    [
      'an outage that says nothing of its end',
      async () => {
        throw new ValidatorUnavailable();
      },
      '5',
    ],
    [
      'an outage of years',
      async () => {
        throw new ValidatorUnavailable('down', { retryAfterSeconds: 1e12 });
      },
      '3600',
    ],
    [
      'an outage that ended in the past',
      async () => {
        throw new ValidatorUnavailable('down', { retryAfterSeconds: -4 });
      },
      '1',
    ],
    [
      'an outage of NaN',
      async () => {
        throw new ValidatorUnavailable('down', { retryAfterSeconds: Number.NaN });
      },
      '5',
    ],
    [
      'an outage told by another copy of authchart',
      async () => {
        throw Object.assign(new Error('x'), { [Symbol.for('authchart.gateway.validator-unavailable')]: true, retryAfterSeconds: 9 });
      },
      '9',
    ],
  ])('503 with Retry-After and without a challenge: %s (GWY-09)', async (_what, validate, seconds) => {
    const response = await answering(validate).handle(requestWith('Bearer some-token'));
    expect([response.status, response.headers.get('retry-after'), response.headers.get('www-authenticate')]).toEqual([503, seconds, null]);
  });

  it('503, where it never answers (GWY-09)', async () => {
    let ended = false;
    const { handle } = protectedScene({
      validationTimeoutMs: 20,
      validator: {
        validate: (_token, { signal }) => {
          signal.addEventListener('abort', () => {
            ended = true;
          });
          return new Promise(() => {});
        },
      },
    });
    expect([(await handle(requestWith('Bearer x'))).status, ended]).toEqual([503, true]);
  });
});

describe('callers who go away', () => {
  it.each<[string, Partial<TokenValidator>]>([
    ['validated', { validate: () => new Promise(() => {}) }],
    ['exchanged', { exchange: () => new Promise(() => {}) }],
  ])('while their token is %s are no outage in the log (GWY-09)', async (_what, slow) => {
    const { handle, records } = protectedScene({ validator: { ...scriptedValidator, ...slow } });
    const caller = new AbortController();
    const answering = handle(requestWith('Bearer good-alice', { signal: caller.signal }));
    await settled();
    caller.abort();
    expect((await answering).status).toBe(503);
    expect(records).toEqual([]);
  });
});

describe('a token that has to be exchanged', () => {
  const exchanging = (exchange: NonNullable<TokenValidator['exchange']>) =>
    protectedScene({ validator: { ...scriptedValidator, exchange } });

  it('is exchanged for each caller, and only the new one reaches the backend (GWY-09, GWY-11)', async () => {
    const { handle, served } = exchanging(async ({ token, subject }, { resource }) => ({
      token: `backend-${subject}-${token.length}-${resource.length}`,
    }));
    await (await handle(requestWith('Bearer good-alice'))).text();
    expect(served).toEqual([{ token: `backend-alice-10-${RESOURCE.length}`, subject: 'alice' }]);
  });

  it.each<[string, NonNullable<TokenValidator['exchange']>, number]>([
    [
      'a refusal',
      async () => {
        throw new TokenRejected();
      },
      401,
    ],
    [
      'an outage',
      async () => {
        throw new ValidatorUnavailable();
      },
      503,
    ],
    [
      'an error: the token was good, and a login would not help',
      async () => {
        throw new Error('x');
      },
      503,
    ],
    ['nothing', async () => undefined as never, 503],
    ['an empty token', async () => ({ token: '' }), 503],
  ])('and meets %s (GWY-09)', async (_what, exchange, status) => {
    const { handle, clients } = exchanging(exchange);
    expect((await handle(requestWith('Bearer good-alice'))).status).toBe(status);
    expect(clients).toEqual([]);
  });

  it('has for it what its validation has left of the time for both (GWY-09)', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { handle, records } = protectedScene({
      validationTimeoutMs: 1_000,
      validator: {
        validate: async (token, context) => {
          vi.advanceTimersByTime(600);
          return scriptedValidator.validate(token, context);
        },
        exchange: () => new Promise(() => {}),
      },
    });
    const answering = handle(requestWith('Bearer good-alice'));
    await settled();
    vi.advanceTimersByTime(399);
    await settled();
    expect(records).toEqual([]);
    vi.advanceTimersByTime(1);
    await settled();
    expect(records).toMatchObject([{ event: 'token-validator-unavailable' }]);
    expect((await answering).status).toBe(503);
  });

  it('is not exchanged for a caller without the scopes (GWY-13)', async () => {
    const exchange = async () => {
      throw new Error('It was asked for.');
    };
    const { handle, records } = protectedScene({ scopes: ['write'], validator: { ...scriptedValidator, exchange } });
    expect((await handle(requestWith('Bearer good-alice'))).status).toBe(403);
    expect(records).toEqual([]);
  });
});
