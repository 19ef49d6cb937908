/** Tokens that only their authorization server can read: RFC 7662 (GWY-10). */
import * as z from 'zod/mini';
import { type Clock, systemClock } from '../clock.ts';
import { FailureError, kindOf } from '../failure.ts';
import { type Given, problemsOfPlatform, throwProblems, unknownOptions, when } from '../misconfigured.ts';
import type { FetchLike, LogRecord } from '../options.ts';
import { clientAuthentication } from '../protocol/client-authentication.ts';
import { isSafeEndpoint } from '../protocol/endpoint-url.ts';
import type { Http } from '../protocol/http.ts';
import { retryAfterSeconds } from '../protocol/retry-after.ts';
import { acceptedAudiences } from './accepted-audiences.ts';
import { LEEWAY_SECONDS } from './clock-leeway.ts';
import { gatewayHttp } from './gateway-http.ts';
import { checkStart, validatedToken } from './jwt-claims.ts';
import { tokenDigest } from './token-digest.ts';
import { TokenRejected, type TokenValidator, ValidatorUnavailable } from './token-validator.ts';
import { validatedTokens } from './validated-tokens.ts';

export interface IntrospectionOptions {
  /** The introspection endpoint of the authorization server. */
  readonly endpoint: string;
  /** As whom the gateway asks. RFC 7662 section 2.1 wants every endpoint to know who asks. */
  readonly clientId: string;
  /** The secret of `clientId`. */
  readonly clientSecret: string;
  /** How the secret is sent. Default `client_secret_basic`. */
  readonly authMethod?: 'client_secret_basic' | 'client_secret_post';
  /** What `aud` has to name, one of them. `false`: the endpoint names none, and answers only for tokens of this resource. Default: the resource. */
  readonly audience?: string | readonly string[] | false;
  /** What `iss` has to be. Default: it is not looked at. */
  readonly issuer?: string;
  /**
   * How long an answer is believed, in seconds, at most 60 and never beyond the token's
   * end: a token that is revoked works this much longer; 0 asks every time. Default 15.
   */
  readonly cacheSeconds?: number;
  /** Answers that are remembered. Default 10,000. */
  readonly cacheEntries?: number;
  /** Used for every request. Default: the platform's. */
  readonly fetch?: FetchLike;
  /** Tells the time, and waits. Default: the system's clock. */
  readonly clock?: Clock;
  /** Called with what happens; it gets no secret. Default: nothing is logged. */
  readonly logger?: (record: LogRecord) => void;
}

const CACHE_SECONDS = 15;
const LONGEST_CACHE_SECONDS = 60;
const CACHE_ENTRIES = 10_000;

const answerSchema = z.looseObject({ active: z.boolean() });

/** @throws AuthorizationError `invalid_configuration`, naming every mistake at once */
export function introspectionValidator(options: IntrospectionOptions): TokenValidator {
  throwProblems(problemsOf(options));
  const { endpoint, clock = systemClock, fetch, logger } = options;
  const http = gatewayHttp({ fetch, clock, logger, configured: [endpoint] });
  const cacheSeconds = options.cacheSeconds ?? CACHE_SECONDS;
  const known = validatedTokens({
    maxAgeMs: cacheSeconds * 1000,
    maxEntries: cacheSeconds === 0 ? 0 : (options.cacheEntries ?? CACHE_ENTRIES),
    clock,
  });
  return {
    async validate(token, { resource, signal }) {
      const digest = await tokenDigest(token);
      // Audiences differ by resource: one validator may serve several.
      const key = `${digest} ${resource}`;
      const remembered = known.find(key, token);
      if (remembered !== undefined) return remembered;
      const claims = await ask(http, options, token, signal);
      check(claims, options, { resource, nowEpochSeconds: Math.floor(clock.now() / 1000) });
      const validated = validatedToken(token, claims);
      known.keep(key, validated);
      return validated;
    },
  };
}

type Claims = Readonly<Record<string, unknown>>;

/** One request, never repeated here. @throws ValidatorUnavailable for everything that is no answer */
async function ask(http: Http, options: IntrospectionOptions, token: string, signal: AbortSignal): Promise<Claims> {
  const { endpoint, clientId, clientSecret, authMethod = 'client_secret_basic' } = options;
  const headers = new Headers({ accept: 'application/json' });
  const body = new URLSearchParams({ token, token_type_hint: 'access_token' });
  await clientAuthentication({ clientId, clientSecret, authMethod }, endpoint)(
    { issuer: endpoint },
    { client_id: clientId },
    body,
    headers,
  );
  let response: Response;
  try {
    response = await http(endpoint, { method: 'POST', headers, body, phase: 'token', purpose: 'token', signal });
  } catch (thrown) {
    throw new ValidatorUnavailable(thrown instanceof FailureError ? thrown.message : `Introspection failed (${kindOf(thrown)}).`);
  }
  // A 401 is about us and not about the token: our credentials are wrong, and no caller can mend that.
  if (response.status !== 200) {
    const wait = retryAfterSeconds(response.headers);
    throw new ValidatorUnavailable(
      `The introspection endpoint answered with ${response.status}.`,
      wait === undefined ? {} : { retryAfterSeconds: wait },
    );
  }
  let answer: unknown;
  try {
    answer = await response.json();
  } catch {
    throw new ValidatorUnavailable('The introspection endpoint did not answer with JSON.');
  }
  const parsed = answerSchema.safeParse(answer);
  if (!parsed.success) throw new ValidatorUnavailable('The introspection endpoint did not say whether the token is active.');
  return parsed.data;
}

function check(claims: Claims, options: IntrospectionOptions, now: { resource: string; nowEpochSeconds: number }): void {
  if (claims['active'] !== true) throw new TokenRejected('The authorization server says that it is not active.');
  if (options.issuer !== undefined && claims['iss'] !== options.issuer) throw new TokenRejected('It is from another issuer.');
  if (isOfAnotherKind(claims)) throw new TokenRejected('It is no access token.');
  const { exp, nbf, aud } = claims;
  if (exp !== undefined && !(typeof exp === 'number' && exp > now.nowEpochSeconds)) throw new TokenRejected('It has expired.');
  checkStart(nbf, { leewaySeconds: LEEWAY_SECONDS, nowEpochSeconds: now.nowEpochSeconds });
  const type = claims['token_type'];
  if (claims['cnf'] !== undefined || (typeof type === 'string' && type.toLowerCase() === 'dpop')) {
    throw new TokenRejected('It is bound to a key, and was sent as a bearer token.');
  }
  if (options.audience === false) return;
  const accepted = acceptedAudiences(options.audience, now.resource);
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!named.some((one) => typeof one === 'string' && accepted.includes(one))) throw new TokenRejected('It is for another audience.');
}

/**
 * Endpoints answer for refresh tokens, too (RFC 7662 section 2.1), and say what they are each in a way of their own:
 * Hydra, OpenIddict, node-oidc-provider, Keycloak.
 */
const KINDS = ['token_use', 'token_usage', 'token_type', 'typ'];
const OTHER_KIND = /^(?:refresh|offline|id)(?:_?token)?$/i;

function isOfAnotherKind(claims: Claims): boolean {
  return KINDS.some((name) => {
    const kind = claims[name];
    return typeof kind === 'string' && OTHER_KIND.test(kind);
  });
}

const OPTIONS = {
  endpoint: true,
  clientId: true,
  clientSecret: true,
  authMethod: true,
  audience: true,
  issuer: true,
  cacheSeconds: true,
  cacheEntries: true,
  fetch: true,
  clock: true,
  logger: true,
} as const satisfies Record<keyof IntrospectionOptions, true>;

function problemsOf(options: IntrospectionOptions): readonly string[] {
  if (typeof options !== 'object' || options === null) return ['The options are missing; `endpoint` at least has to be named.'];
  const given: Given = { ...options };
  const { endpoint, clientId, clientSecret, authMethod, audience, cacheSeconds = 0, cacheEntries = 1 } = options;
  const audiences: readonly unknown[] = audience === undefined || audience === false ? ['-'] : [audience].flat();
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
  return [
    ...unknownOptions(given, OPTIONS),
    ...when(!isSafeEndpoint(endpoint), '`endpoint` must be an https URL (or http on a loopback address): every token is sent there.'),
    ...when(!isText(clientId), '`clientId` is missing.'),
    ...when(!isText(clientSecret), '`clientSecret` is missing.'),
    ...when(
      authMethod !== undefined && !['client_secret_basic', 'client_secret_post'].includes(authMethod),
      '`authMethod` must be `client_secret_basic` or `client_secret_post`.',
    ),
    ...when(
      audiences.length === 0 || !audiences.every(isText),
      '`audience` must be a string or a list of strings, none of them empty, or `false`.',
    ),
    // There and undefined is a mistake elsewhere: tokens of every issuer would be let in.
    ...when('issuer' in given && !isText(given['issuer']), '`issuer` is no text: leave it out where `iss` need not be looked at.'),
    ...when(
      !(Number.isFinite(cacheSeconds) && cacheSeconds >= 0 && cacheSeconds <= LONGEST_CACHE_SECONDS),
      `\`cacheSeconds\` must be a number of seconds between 0 and ${LONGEST_CACHE_SECONDS}.`,
    ),
    ...when(!(Number.isInteger(cacheEntries) && cacheEntries >= 1), '`cacheEntries` must be a whole number above zero.'),
    ...problemsOfPlatform(given),
  ];
}
