import type { LookupAddress, LookupOptions } from 'node:dns';
import { Agent, fetch as undiciFetch } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FetchLike } from '../src/options.ts';
import { type PublicLookupOptions, publicLookup } from '../src/public-lookup.ts';
import { httpWith, metadataRequest } from './helpers/http-with.ts';
import { failureOfPromise, json, localServer } from './helpers/local-server.ts';

type Lookup = NonNullable<PublicLookupOptions['lookup']>;

/** A name server that answers each question with the next list. */
function answering(...answers: readonly (readonly string[])[]): Lookup {
  let asked = 0;
  const lookup = (_name: string, _options: LookupOptions, callback: (error: null, addresses: LookupAddress[]) => void): void => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return lookup as Lookup;
}

/** What a connection would be told. */
function looked(options: PublicLookupOptions, all: boolean, name = 'idp.example.com'): Promise<unknown> {
  return new Promise((resolve) => {
    publicLookup(options)(name, { all }, (error, address, family) => resolve(error?.code ?? [address, family]));
  });
}

/** As docs/security.md has it. */
function guarded(options: PublicLookupOptions = {}): FetchLike {
  const dispatcher = new Agent({ connect: { lookup: publicLookup(options) } });
  onTestFinished(() => dispatcher.destroy());
  return ((url: string, init: object) => undiciFetch(url, { ...init, dispatcher })) as unknown as FetchLike;
}

describe('a connection to public addresses only', () => {
  it('gets what the name server says, one address or all, where all are public (SEC-03)', async () => {
    const lookup = answering(['8.8.8.8', '2606:4700::1111']);
    expect(await looked({ lookup }, false)).toEqual(['8.8.8.8', 4]);
    expect(await looked({ lookup }, true)).toEqual([
      [
        { address: '8.8.8.8', family: 4 },
        { address: '2606:4700::1111', family: 6 },
      ],
      undefined,
    ]);
  });

  it('gets nothing where one is not, or there is none (SEC-03)', async () => {
    for (const addresses of [['8.8.8.8', '10.0.0.1'], ['::ffff:127.0.0.1'], ['169.254.169.254'], []]) {
      for (const all of [true, false]) expect(await looked({ lookup: answering(addresses) }, all)).toBe('ADDRESS_NOT_PUBLIC');
    }
  });

  it('gets one address of the system where it wants one (SEC-03)', async () => {
    expect(await looked({ except: () => true }, false, 'localhost')).toEqual([
      expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
      expect.any(Number),
    ]);
  });

  it('passes on that a name is not known (SEC-03)', async () => {
    const lookup = ((_name: string, _options: object, callback: (error: Error) => void) =>
      callback(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }))) as unknown as Lookup;
    expect(await looked({ lookup }, true)).toBe('ENOTFOUND');
  });

  it('is not made to this machine by undici and the system’s names, and is a refusal in a flow (SEC-03)', async () => {
    const server = await localServer((_, response) => json(response, {}));
    const url = server.origin.replace('127.0.0.1', 'localhost');
    const failure = await failureOfPromise(httpWith({ fetch: guarded() })(url, metadataRequest));
    expect(failure).toMatchObject({
      code: 'url_refused_by_policy',
      retryable: false,
      details: { reason: 'Its name leads to an address that is not public (ADDRESS_NOT_PUBLIC).' },
    });
    expect(server.requests).toEqual([]);
    const excepting = guarded({ except: (hostname) => hostname === 'localhost' });
    expect((await httpWith({ fetch: excepting })(url, metadataRequest)).status).toBe(200);
  });

  it('goes where the check looked: a name that changes in between does not lead inside (SEC-03)', async () => {
    const server = await localServer((_, response) => json(response, {}));
    const url = server.origin.replace('127.0.0.1', 'localhost');
    // A look before the request would see the first answer, and the connection the second.
    const lookup = answering(['8.8.8.8'], ['127.0.0.1']);
    expect(await looked({ lookup }, false)).toEqual(['8.8.8.8', 4]);
    expect((await failureOfPromise(httpWith({ fetch: guarded({ lookup }) })(url, metadataRequest))).code).toBe('url_refused_by_policy');
    expect(server.requests).toEqual([]);
  });
});
