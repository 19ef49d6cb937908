import { describe, expect, it } from 'vitest';
import { challengeFacts, parseChallenges } from '../../src/protocol/challenge.ts';

function parsed(value: string): unknown[] {
  return parseChallenges(value).map(({ scheme, token68, parameters }) => [scheme, token68 ?? Object.fromEntries(parameters)]);
}

function facts(...lines: string[]): unknown {
  const headers = new Headers();
  for (const line of lines) headers.append('WWW-Authenticate', line);
  return challengeFacts(headers);
}

describe('parseChallenges', () => {
  it.each([
    ['a bare scheme', 'Bearer', [['Bearer', {}]]],
    ['quoted and token values', 'Bearer realm="a b", error=invalid_token', [['Bearer', { realm: 'a b', error: 'invalid_token' }]]],
    ['names in any case', 'bEARER Realm="x", SCOPE="y"', [['bEARER', { realm: 'x', scope: 'y' }]]],
    ['any whitespace around =', 'Bearer realm = "x" ,\tscope\t=\t"y"', [['Bearer', { realm: 'x', scope: 'y' }]]],
    ['escaped quotes and backslashes', String.raw`Bearer realm="a \"b\" \\ \c"`, [['Bearer', { realm: 'a "b" \\ c' }]]],
    ['an empty quoted value', 'Bearer realm=""', [['Bearer', { realm: '' }]]],
    ['commas and equals signs in quotes', 'Bearer realm="a, Basic b=c, d=\\"e\\""', [['Bearer', { realm: 'a, Basic b=c, d="e"' }]]],
    [
      'several challenges in one line',
      'Basic realm="b", Bearer realm="x", scope="y", DPoP algs="ES256"',
      [
        ['Basic', { realm: 'b' }],
        ['Bearer', { realm: 'x', scope: 'y' }],
        ['DPoP', { algs: 'ES256' }],
      ],
    ],
    [
      'token68 and bare schemes between others',
      'Negotiate, Bearer realm="x", NTLM abc==, Custom a/b+c',
      [
        ['Negotiate', {}],
        ['Bearer', { realm: 'x' }],
        ['NTLM', 'abc=='],
        ['Custom', 'a/b+c'],
      ],
    ],
    ['empty list elements', ' , ,Bearer , realm="x",,scope=y, ', [['Bearer', { realm: 'x', scope: 'y' }]]],
    [
      'the example of RFC 9110',
      'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
      [
        ['Basic', { realm: 'simple' }],
        ['Newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
      ],
    ],
  ])('reads %s (CHA-01)', (_, value, expected) => {
    expect(parsed(value)).toEqual(expected);
  });

  it.each([
    ['commas left out', 'Bearer realm="x" scope="y"', [['Bearer', { realm: 'x', scope: 'y' }]]],
    [
      'a URL without quotes',
      'Bearer resource_metadata=https://h/.well-known/x?a=b, scope=s',
      [['Bearer', { resource_metadata: 'https://h/.well-known/x?a=b', scope: 's' }]],
    ],
    ['a parameter without a challenge', 'realm="x", Bearer scope="y"', [['Bearer', { scope: 'y' }]]],
    ['a parameter without a value', 'Bearer realm="x", scope=, error=e', [['Bearer', { realm: 'x', error: 'e' }]]],
    ['a name given twice', 'Bearer scope="first", Scope="second"', [['Bearer', { scope: 'first' }]]],
    ['a quote that never ends', 'Bearer realm="x", scope="y, resource_metadata=https://evil.example', [['Bearer', { realm: 'x' }]]],
    ['a stray quoted text', 'Bearer realm="x", "error=bad, scope=s", error=e', [['Bearer', { realm: 'x', error: 'e' }]]],
    ['characters that begin no name', 'Bearer @@ realm="x" {} (;) scope=y', [['Bearer', { realm: 'x', scope: 'y' }]]],
    [
      'a name that would reach the prototype',
      'Bearer __proto__="x", constructor="y"',
      [['Bearer', JSON.parse('{"__proto__":"x","constructor":"y"}')]],
    ],
    ['nothing', '', []],
  ])('survives %s (CHA-01)', (_, value, expected) => {
    expect(parsed(value)).toEqual(expected);
  });

  it('never takes a name inside quoted text for a parameter (CHA-01)', () => {
    const value = String.raw`Bearer error_description="use scope=\"admin\", resource_metadata=\"https://evil.example\"", scope="read"`;
    expect(facts(value)).toEqual({
      scheme: 'Bearer',
      scopes: ['read'],
      errorDescription: 'use scope="admin", resource_metadata="https://evil.example"',
    });
  });

  it('reads back whatever challenges are written, however they are spaced (CHA-01)', () => {
    const random = seeded(20260728);
    const pick = (choices: readonly string[]): string => choices[Math.floor(random() * choices.length)] ?? '';
    const times = <T>(most: number, make: (index: number) => T): T[] =>
      Array.from({ length: Math.floor(random() * (most + 1)) }, (_, index) => make(index));
    const space = (): string => pick(['', ' ', '\t', '  ']);
    for (let round = 0; round < 2000; round += 1) {
      const written = [
        ...times(3, (index) => ({
          scheme: pick(['Bearer', 'Basic', 'x-1', 'DPoP']) + (index === 0 ? '' : index),
          parameters: times(
            4,
            (n) => [`p${n}`, times(12, () => pick(['a', ' ', ',', '=', '"', '\\', 'Bearer', 'scope="x"', '/', ':'])).join('')] as const,
          ),
        })),
      ];
      const header = written
        .map(({ scheme, parameters }) => {
          const list = parameters.map(
            ([name, text]) => `${pick([name, name.toUpperCase()])}${space()}=${space()}"${text.replace(/["\\]/g, '\\$&')}"`,
          );
          return list.length === 0 ? scheme : `${scheme} ${space()}${list.join(`${space()},${space()}`)}`;
        })
        .join(`${space()},${space()}`);
      expect(parsed(header), header).toEqual(written.map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]));
    }
  });

  it('ends on any text, in proportion to its length (CHA-01)', () => {
    const random = seeded(9110);
    const alphabet = ['Bearer', ' ', ',', '=', '"', '\\', 'a', 'é', '\t', '/', '==', 'scope'];
    for (let round = 0; round < 2000; round += 1) {
      const text = Array.from({ length: Math.floor(random() * 40) }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
      for (const { scheme, parameters } of parseChallenges(text)) {
        expect(scheme).toMatch(/^[^\s,"=]+$/);
        for (const name of parameters.keys()) expect(name).toMatch(/^[a-z]+$/);
      }
    }
    for (const piece of ['a ', '"', '\\', 'a=', ' ', ',', 'Bearer "', 'a ====', 'a b=']) {
      expect(parseChallenges(piece.repeat(1_000_000)).length).toBeLessThan(16_384);
    }
  });
});

describe('challengeFacts', () => {
  it('takes facts from the Bearer challenge only, in whichever header line it is (CHA-02)', () => {
    expect(
      facts(
        'Basic realm="x", scope="basic", resource_metadata="https://evil.example/", error="no"',
        'Bearer resource_metadata="https://h.example/.well-known/oauth-protected-resource", scope="b a b", error="invalid_token", error_description="Expired."',
        'DPoP scope="dpop", error="use_dpop_nonce"',
      ),
    ).toEqual({
      scheme: 'Bearer',
      resourceMetadataUrl: 'https://h.example/.well-known/oauth-protected-resource',
      scopes: ['b', 'a'],
      error: 'invalid_token',
      errorDescription: 'Expired.',
    });
  });

  it('takes them from the DPoP challenge where there is no Bearer one (CHA-02)', () => {
    expect(facts('Basic realm="x"', 'dpop algs="ES256", scope="s", resource_metadata="https://h.example/"')).toEqual({
      scheme: 'DPoP',
      scopes: ['s'],
      resourceMetadataUrl: 'https://h.example/',
    });
  });

  it('takes each fact from the first Bearer challenge that states it (CHA-02)', () => {
    expect(
      facts('Bearer realm="gateway"', 'bearer scope="s", error=e', 'Bearer scope="t", resource_metadata="https://h.example/"'),
    ).toEqual({
      scheme: 'Bearer',
      scopes: ['s'],
      error: 'e',
      resourceMetadataUrl: 'https://h.example/',
    });
  });

  it('has nothing to say without a Bearer or DPoP challenge (CHA-03)', () => {
    expect(facts()).toBeUndefined();
    for (const value of ['', 'Basic realm="Bearer scope=x"', 'Digest Bearer="x"', 'realm="x"', '"Bearer"'])
      expect(facts(value), value).toBeUndefined();
    expect(facts('Bearer')).toEqual({ scheme: 'Bearer' });
  });

  it('leaves out what is no scope and cleans the texts of the server (CHA-02, TOK-04)', () => {
    expect(
      facts(String.raw`Bearer scope="ok n\\ok \" ok:2  ", error_description="${'x'.repeat(5000)}", error="${'e'.repeat(500)}"`),
    ).toEqual({
      scheme: 'Bearer',
      scopes: ['ok', 'ok:2'],
      errorDescription: `${'x'.repeat(299)}…`,
      error: `${'e'.repeat(63)}…`,
    });
    expect(facts('Bearer scope="", error="", resource_metadata="  "')).toEqual({ scheme: 'Bearer' });
  });
});

/** The same numbers on every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
