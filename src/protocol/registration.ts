/**
 * Dynamic client registration: RFC 7591 sections 3.1 and 3.2, as MCP uses it
 * (REG-03, REG-04, REG-07).
 *
 * Left out: software statements, initial access tokens, and the management
 * protocol of RFC 7592; its `registration_access_token` is not kept, so that there
 * is one secret less to lose.
 */
import * as z from 'zod/mini';
import { type Failure, type FailureDetails, FailureError } from '../failure.ts';
import { chooseAuthMethod } from './client-authentication.ts';
import { applicationType } from './client-metadata.ts';
import type { ClientMetadata, ServerMetadata, TokenEndpointAuthMethod } from './documents.ts';
import { isSafeEndpoint, withoutQuery } from './endpoint-url.ts';
import type { Http } from './http.ts';
import { retryAfterSeconds } from './retry-after.ts';
import { serverText } from './server-text.ts';
import { isOutage, suggestsStaleMetadata } from './token-errors.ts';

/** What a registration gave. The secret is for the vault only. */
export interface RegisteredClient {
  readonly clientId: string;
  readonly clientSecret?: string;
  /** Absent: never. */
  readonly secretExpiresAtEpochSeconds?: number;
  readonly authMethod: TokenEndpointAuthMethod;
  readonly redirectUris: readonly string[];
  readonly applicationType: 'native' | 'web';
}

export interface RegistrationRequest {
  readonly metadata: ServerMetadata;
  /** Complete, as `fullClientMetadata` makes it. */
  readonly clientMetadata: ClientMetadata;
  /** Ways to authenticate that this client can do. Default: all that need no key of its own. */
  readonly supportedMethods?: readonly TokenEndpointAuthMethod[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

const KEYLESS_METHODS = ['client_secret_basic', 'client_secret_post', 'none'] as const;

/**
 * `null` stands for absence, since several servers write out every member they
 * know. What only describes the client (`redirect_uris`, `application_type`) is
 * taken as sent when it comes back odd or not at all.
 */
const RegistrationResponse = z.object({
  client_id: z.string().check(z.minLength(1)),
  client_secret: z.nullish(z.string()),
  client_secret_expires_at: z.nullish(z.union([z.number(), z.string()])),
  token_endpoint_auth_method: z.nullish(z.string()),
  redirect_uris: z.catch(z.array(z.string()), []),
  application_type: z.catch(z.optional(z.enum(['native', 'web'])), undefined),
});
type RegistrationResponse = z.infer<typeof RegistrationResponse>;

const text = z.catch(z.optional(z.string()), undefined);
/** `message` and `detail` are what servers send whose framework answers before their OAuth code does. */
const ErrorResponse = z.object({ error: text, error_description: text, message: text, detail: text });

/**
 * Registers the client. One POST, never repeated here.
 *
 * @throws FailureError `registration_rejected` with the server's error,
 *   `registration_unusable`, `server_unavailable` (5xx, 408, 429), those of `Http`,
 *   `metadata_incomplete`, `endpoint_refused`.
 */
export async function registerClient(http: Http, o: RegistrationRequest): Promise<RegisteredClient> {
  const url = registrationEndpoint(o.metadata);
  const methods = o.supportedMethods ?? KEYLESS_METHODS;
  const requested = { ...o.clientMetadata, token_endpoint_auth_method: methodToRequest(o, methods) };
  const response = await post(http, url, requested, o.signal);
  const body = jsonIn(await response.text());
  const facts: FailureDetails = { issuer: o.metadata.issuer, url: withoutQuery(url), status: response.status };
  refuseErrors(response, body, facts);
  const parsed = RegistrationResponse.safeParse(body);
  if (!parsed.success) throw unusable(facts, `${String(parsed.error.issues[0]?.path[0] ?? 'The body')} is missing or of the wrong kind.`);
  const authMethod = assignedMethod(parsed.data, requested, o.metadata, methods, facts);
  return registered(parsed.data, requested, authMethod);
}

function registrationEndpoint({ registration_endpoint: url, issuer }: ServerMetadata): string {
  if (url === undefined) {
    throw new FailureError('metadata_incomplete', 'registration', { issuer, reason: 'It names no registration_endpoint.' });
  }
  if (!isSafeEndpoint(url)) throw new FailureError('endpoint_refused', 'registration', { issuer, url: withoutQuery(url) });
  return url;
}

/** The client's own wish; where the server does not support it, the strongest that both sides do (TOK-01). */
function methodToRequest(o: RegistrationRequest, methods: readonly TokenEndpointAuthMethod[]): TokenEndpointAuthMethod {
  const wish = o.clientMetadata.token_endpoint_auth_method ?? 'none';
  const supported = o.metadata.token_endpoint_auth_methods_supported ?? [];
  if (supported.length === 0 || supported.includes(wish)) return wish;
  const both = methods.filter((method) => supported.includes(method));
  if (both.length === 0) return wish;
  // A secret is what registration hands out: every method that needs one counts as possible.
  return chooseAuthMethod({ hasSecret: true, hasPrivateKey: true, supported: both });
}

async function post(http: Http, url: string, body: ClientMetadata, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await http(url, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(body),
      phase: 'registration',
      purpose: 'registration',
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    if (!(error instanceof FailureError) || error.failure.code !== 'redirect_refused') throw error;
    throw new FailureError('redirect_refused', 'registration', { ...error.failure.details, metadataMayBeStale: true });
  }
}

/** An `error` member is an error at any status: some servers send it with 200. */
function refuseErrors(response: Response, body: unknown, facts: FailureDetails): void {
  const { status } = response;
  const said = ErrorResponse.safeParse(body).data;
  const oauthError = serverText(said?.error, 100);
  if (response.ok && oauthError === undefined) return;
  const oauthErrorDescription = serverText(said?.error_description ?? said?.message ?? said?.detail);
  const waitSeconds = retryAfterSeconds(response.headers);
  throw new FailureError(isOutage(status) ? 'server_unavailable' : 'registration_rejected', 'registration', {
    ...facts,
    ...(oauthError !== undefined && { oauthError }),
    ...(oauthErrorDescription !== undefined && { oauthErrorDescription }),
    ...(waitSeconds !== undefined && { retryAfterSeconds: waitSeconds }),
    ...(suggestsStaleMetadata(status) && oauthError === undefined && { metadataMayBeStale: true }),
  });
}

/**
 * What the response assigns. RFC 7591 section 3.2.1 has the server echo the
 * method; where it does not, a secret is a sign that the client is to use it, and
 * no secret one that it cannot.
 */
function assignedMethod(
  response: RegistrationResponse,
  requested: ClientMetadata,
  metadata: ServerMetadata,
  methods: readonly TokenEndpointAuthMethod[],
  facts: FailureDetails,
): TokenEndpointAuthMethod {
  // mcp-auth-proxy writes an empty text where it was told nothing.
  const echoed = response.token_endpoint_auth_method || undefined;
  const hasSecret = (response.client_secret ?? '') !== '';
  if (echoed === undefined) {
    const wish = requested.token_endpoint_auth_method ?? 'none';
    if (wish === 'private_key_jwt' || (hasSecret && wish !== 'none')) return wish;
    return chooseAuthMethod({ hasSecret, hasPrivateKey: false, supported: metadata.token_endpoint_auth_methods_supported });
  }
  const assigned = methods.find((method) => method === echoed);
  if (assigned === undefined) {
    throw unusable(facts, `It assigns the authentication method ${serverText(echoed, 40) ?? '(empty)'}, which this client cannot do.`);
  }
  if (assigned.startsWith('client_secret') && !hasSecret) throw unusable(facts, `It assigns ${assigned} but holds no client_secret.`);
  return assigned;
}

function registered(response: RegistrationResponse, requested: ClientMetadata, authMethod: TokenEndpointAuthMethod): RegisteredClient {
  const secret = authMethod.startsWith('client_secret') ? response.client_secret : undefined;
  // Zero means never (RFC 7591 section 3.2.1), and so does nothing: Cloudflare's library left the member out for long.
  const expiresAt = Number(response.client_secret_expires_at ?? 0);
  return {
    clientId: response.client_id,
    ...(typeof secret === 'string' && {
      clientSecret: secret,
      ...(expiresAt > 0 && Number.isFinite(expiresAt) && { secretExpiresAtEpochSeconds: Math.floor(expiresAt) }),
    }),
    authMethod,
    // Those sent as well: where a server answers with others (written anew, or none),
    // registering once more for the one in use would change nothing.
    redirectUris: [...new Set([...requested.redirect_uris, ...response.redirect_uris])],
    applicationType: response.application_type ?? requested.application_type ?? applicationType(requested.redirect_uris),
  };
}

/**
 * Whether a registration failed because of the redirect URIs, so that the other
 * `application_type` may help (REG-07). OpenID Connect registration has a code for
 * it; servers without OpenID Connect only say so in their text.
 */
export function isRedirectUriRejection(failure: Failure): boolean {
  if (failure.code !== 'registration_rejected') return false;
  const { oauthError, oauthErrorDescription = '' } = failure.details;
  if (oauthError === 'invalid_redirect_uri') return true;
  return (
    (oauthError === 'invalid_client_metadata' || oauthError === 'invalid_request') &&
    /redirect|application[_ ]type|loopback|localhost/i.test(oauthErrorDescription)
  );
}

function unusable(facts: FailureDetails, reason: string): FailureError {
  return new FailureError('registration_unusable', 'registration', { ...facts, reason });
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
