/** JWT access tokens of any OpenID Connect or OAuth 2.0 issuer that publishes its keys (GWY-10). */
import { compactVerify, errors, type JWSHeaderParameters } from 'jose';
import { type Clock, systemClock } from '../clock.ts';
import { type Given, problemsOfPlatform, throwProblems, unknownOptions, when } from '../misconfigured.ts';
import type { FetchLike, LogRecord } from '../options.ts';
import { isSafeEndpoint } from '../protocol/endpoint-url.ts';
import { serverMetadataUrls } from '../protocol/well-known.ts';
import { acceptedAudiences } from './accepted-audiences.ts';
import { LEEWAY_SECONDS } from './clock-leeway.ts';
import { gatewayHttp } from './gateway-http.ts';
import { gatewayLog } from './gateway-log.ts';
import { type IssuerKeys, issuerKeys } from './issuer-keys.ts';
import { type ExpectedClaims, readUnverified, validatedToken } from './jwt-claims.ts';
import { TokenRejected, type TokenValidator, type ValidatedToken, type ValidationContext } from './token-validator.ts';

export interface OidcTokenValidatorOptions {
  /** The issuer identifier, exactly as `iss` and the issuer's metadata have it. */
  readonly issuer: string;
  /** What `aud` has to name, one of them. Default: the resource. */
  readonly audience?: string | readonly string[];
  /** Signature algorithms, asymmetric ones only. Default: RS, PS and ES with 256, 384 and 512, EdDSA and Ed25519. */
  readonly algorithms?: readonly string[];
  /** How far the clocks of issuer and gateway may differ, in seconds, at most 300. Default 30. */
  readonly leewaySeconds?: number;
  /** What `typ` may be; `''` for tokens that have none. Default: `at+jwt` (RFC 9068), `JWT` and `''`. */
  readonly types?: readonly string[];
  /** Where the keys are. Default: `jwks_uri` of the issuer's metadata. */
  readonly jwksUrl?: string;
  /** Used for metadata and keys. Default: the platform's. */
  readonly fetch?: FetchLike;
  /** Tells the time, and waits. Default: the system's clock. */
  readonly clock?: Clock;
  /** Called with what happens; it gets no secret. Default: nothing is logged. */
  readonly logger?: (record: LogRecord) => void;
}

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const TYPES = ['at+jwt', 'JWT', ''];
const LONGEST_LEEWAY_SECONDS = 300;

/** Validates signature, `iss`, `aud`, `exp`, `nbf` and `typ`; keys are fetched when the first token needs them. */
export class OidcTokenValidator implements TokenValidator {
  readonly #options: OidcTokenValidatorOptions;
  readonly #clock: Clock;
  readonly #keys: IssuerKeys;
  readonly #verification: { readonly algorithms: string[] };
  readonly #expected: Pick<ExpectedClaims, 'issuer' | 'algorithms' | 'types' | 'leewaySeconds'>;

  /** @throws AuthorizationError `invalid_configuration`, naming every mistake at once */
  constructor(options: OidcTokenValidatorOptions) {
    throwProblems(problemsOf(options));
    const { issuer, jwksUrl, clock = systemClock, fetch, logger } = options;
    this.#options = options;
    this.#clock = clock;
    this.#keys = issuerKeys({
      issuer,
      jwksUrl,
      http: gatewayHttp({ fetch, clock, logger, configured: jwksUrl === undefined ? [issuer] : [issuer, jwksUrl] }),
      clock,
      log: gatewayLog(logger, () => clock.now()),
    });
    const algorithms = [...(options.algorithms ?? ALGORITHMS)];
    this.#verification = { algorithms };
    this.#expected = {
      issuer,
      algorithms,
      types: (options.types ?? TYPES).map((type) => type.toLowerCase().replace(/^application\//, '') || undefined),
      leewaySeconds: options.leewaySeconds ?? LEEWAY_SECONDS,
    };
  }

  async validate(token: string, { resource }: ValidationContext): Promise<ValidatedToken> {
    const expected: ExpectedClaims = {
      ...this.#expected,
      audiences: acceptedAudiences(this.#options.audience, resource),
      nowEpochSeconds: Math.floor(this.#clock.now() / 1000),
    };
    const { header, claims } = readUnverified(token, expected);
    await this.#verify(token, header as JWSHeaderParameters);
    // They are the issuer's: the same text was verified.
    return validatedToken(token, claims);
  }

  async #verify(token: string, header: JWSHeaderParameters): Promise<void> {
    for (const key of await this.#keys.candidates(header)) {
      try {
        await compactVerify(token, key, this.#verification);
        return;
      } catch (thrown) {
        if (!(thrown instanceof errors.JWSSignatureVerificationFailed)) throw new TokenRejected('It cannot be verified.');
      }
    }
    throw new TokenRejected('Its signature is wrong.');
  }
}

const OPTIONS = {
  issuer: true,
  audience: true,
  algorithms: true,
  leewaySeconds: true,
  types: true,
  jwksUrl: true,
  fetch: true,
  clock: true,
  logger: true,
} as const satisfies Record<keyof OidcTokenValidatorOptions, true>;

function problemsOf(options: OidcTokenValidatorOptions): readonly string[] {
  if (typeof options !== 'object' || options === null) return ['The options are missing; `issuer` at least has to be named.'];
  const given: Given = { ...options };
  const { audience, leewaySeconds = LEEWAY_SECONDS, types = TYPES, jwksUrl } = options;
  const audiences: readonly unknown[] = audience === undefined ? [''] : [audience].flat();
  return [
    ...unknownOptions(given, OPTIONS),
    ...when(!isIssuer(options.issuer), '`issuer` must be an https URL (or http on a loopback address) without query and fragment.'),
    ...when(
      audiences.length === 0 || audiences.some((one) => typeof one !== 'string' || (one === '' && audience !== undefined)),
      '`audience` must be a string or a list of strings, none of them empty.',
    ),
    ...problemsOfAlgorithms(given['algorithms']),
    ...when(
      !(Number.isFinite(leewaySeconds) && leewaySeconds >= 0 && leewaySeconds <= LONGEST_LEEWAY_SECONDS),
      `\`leewaySeconds\` must be a number of seconds between 0 and ${LONGEST_LEEWAY_SECONDS}.`,
    ),
    ...when(
      !Array.isArray(types) || types.length === 0 || types.some((type) => typeof type !== 'string'),
      '`types` must be a list of strings, and not empty.',
    ),
    ...when(
      jwksUrl !== undefined && !isSafeEndpoint(jwksUrl),
      '`jwksUrl` must be an https URL (or http on a loopback address): who can change the keys can make tokens.',
    ),
    ...problemsOfPlatform(given),
  ];
}

function problemsOfAlgorithms(algorithms: unknown): readonly string[] {
  if (algorithms === undefined) return [];
  if (!Array.isArray(algorithms)) return ['`algorithms` must be a list.'];
  const strange = algorithms.filter((algorithm) => !ALGORITHMS.includes(algorithm)).map(String);
  return [
    ...when(algorithms.length === 0, '`algorithms` is empty: no token would be accepted.'),
    ...when(
      strange.length > 0,
      `\`algorithms\` must be asymmetric ones of ${ALGORITHMS.join(', ')}; these are not: ${strange.join(', ')}. With a symmetric one, whoever can validate tokens can also make them.`,
    ),
  ];
}

function isIssuer(issuer: unknown): boolean {
  try {
    return typeof issuer === 'string' && serverMetadataUrls(issuer).length > 0;
  } catch {
    return false;
  }
}
