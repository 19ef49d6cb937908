/** Tokens that were agreed upon beforehand, for machines beside the people who log in (GWY-09). */

import { throwProblems, unknownOptions, when } from '../misconfigured.ts';
import { constantTimeEqual } from '../protocol/constant-time-equal.ts';
import { isScopeToken } from '../protocol/scope-token.ts';
import { tokenDigest } from './token-digest.ts';
import { TokenRejected, type TokenValidator } from './token-validator.ts';

export interface StaticToken {
  /** The token itself. Left out: `sha256` is given, and the configuration holds no secret. */
  readonly token?: string;
  /** SHA-256 of the token in hexadecimal, as `sha256sum` prints it. Left out: `token` is given. */
  readonly sha256?: string;
  /** Who the bearer acts as. */
  readonly subject: string;
  /** What it allows. Default: no scopes. */
  readonly scopes?: readonly string[];
}

/** A token of this length made of random characters is not found by trying. */
const SHORTEST_TOKEN_CHARACTERS = 16;

interface KnownToken {
  readonly digest: string;
  readonly subject: string;
  readonly scopes: readonly string[];
}

/**
 * Keeps digests only, and compares with all of them whichever fits, so that the time
 * it takes says nothing about any.
 *
 * @throws AuthorizationError `invalid_configuration`, naming every mistake at once, none of the tokens
 */
export function staticTokenValidator(tokens: readonly StaticToken[]): TokenValidator {
  throwProblems(problemsOf(tokens));
  const digesting = Promise.all(
    tokens.map(async ({ token, sha256, subject, scopes = [] }): Promise<KnownToken> => {
      return { digest: sha256?.toLowerCase() ?? (await tokenDigest(token ?? '')), subject, scopes: [...scopes] };
    }),
  );
  return {
    async validate(token) {
      const digest = await tokenDigest(token);
      let found: KnownToken | undefined;
      for (const known of await digesting) if (constantTimeEqual(known.digest, digest)) found = known;
      if (found === undefined) throw new TokenRejected('It is none of the static tokens.');
      const { subject, scopes } = found;
      return { token, subject, scopes, claims: { sub: subject } };
    },
  };
}

const OPTIONS = { token: true, sha256: true, subject: true, scopes: true } as const satisfies Record<keyof StaticToken, true>;

function problemsOf(tokens: readonly StaticToken[]): readonly string[] {
  if (!Array.isArray(tokens) || tokens.length === 0) return ['Static tokens: the list is missing or empty.'];
  return tokens.flatMap((token, index) => problemsOfToken(token, `Static token ${index + 1}`));
}

/** Quotes nothing of it: a name in the wrong place may be the token. */
function problemsOfToken(given: StaticToken, name: string): readonly string[] {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return [`${name} is no object.`];
  const { token, sha256, subject, scopes = [] } = given;
  return [
    ...when(unknownOptions(given, OPTIONS).length > 0, `${name}: holds something else than ${Object.keys(OPTIONS).join(', ')}.`),
    ...when((token === undefined) === (sha256 === undefined), `${name}: give either \`token\` or \`sha256\`.`),
    ...when(
      token !== undefined && !(typeof token === 'string' && /^[A-Za-z0-9\-._~+/]+=*$/.test(token)),
      `${name}: \`token\` may hold letters, digits and -._~+/ only, and = at its end (RFC 6750 section 2.1).`,
    ),
    ...when(
      typeof token === 'string' && token.length < SHORTEST_TOKEN_CHARACTERS,
      `${name}: \`token\` must have at least ${SHORTEST_TOKEN_CHARACTERS} characters; make it of 32 random bytes.`,
    ),
    ...when(
      sha256 !== undefined && !(typeof sha256 === 'string' && /^[0-9a-f]{64}$/i.test(sha256)),
      `${name}: \`sha256\` must be 64 hexadecimal digits.`,
    ),
    ...when(typeof subject !== 'string' || subject === '', `${name}: \`subject\` is missing.`),
    ...when(
      !Array.isArray(scopes) || !scopes.every((scope) => typeof scope === 'string' && isScopeToken(scope)),
      `${name}: \`scopes\` must be a list of scopes.`,
    ),
  ];
}
