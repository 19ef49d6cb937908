/**
 * Registration responses: RFC 7591 sections 3.2.1 and 3.2.2, read as real servers
 * send them (REG-04).
 *
 * Left out: the management protocol of RFC 7592. Its `registration_access_token` is
 * not kept, so that there is one secret less to lose.
 */
import * as z from 'zod/mini';
import { type FailureDetails, FailureError } from '../failure.ts';
import { chooseAuthMethod } from './client-authentication.ts';
import { applicationType } from './client-metadata.ts';
import type { ClientMetadata, ServerMetadata, TokenEndpointAuthMethod } from './documents.ts';
import { withoutQuery } from './endpoint-url.ts';
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

/** The request that is being answered. */
export interface RegistrationContext {
  readonly metadata: ServerMetadata;
  readonly url: string;
  readonly requested: ClientMetadata;
  /** Ways to authenticate that this client can do. */
  readonly methods: readonly TokenEndpointAuthMethod[];
}

/**
 * `null` stands for absence, since several servers write out every member they
 * know. What only describes the client (`redirect_uris`, `application_type`) is
 * taken as sent when it comes back odd or not at all.
 */
const Registration = z.object({
  client_id: z.string().check(z.minLength(1)),
  client_secret: z.nullish(z.string()),
  client_secret_expires_at: z.nullish(z.union([z.number(), z.string()])),
  token_endpoint_auth_method: z.nullish(z.string()),
  redirect_uris: z.catch(z.array(z.string()), []),
  application_type: z.catch(z.optional(z.enum(['native', 'web'])), undefined),
});
type Registration = z.infer<typeof Registration>;

const text = z.catch(z.optional(z.string()), undefined);
/** `message` and `detail` are what servers send whose framework answers before their OAuth code does. */
const Rejection = z.object({ error: text, error_description: text, message: text, detail: text });

/** @throws FailureError `registration_rejected`, `registration_unusable`, `server_unavailable` */
export async function readRegistration(response: Response, context: RegistrationContext): Promise<RegisteredClient> {
  const body = jsonIn(await response.text());
  const facts: FailureDetails = { issuer: context.metadata.issuer, url: withoutQuery(context.url), status: response.status };
  refuseErrors(response, body, facts);
  const unusable = (reason: string): FailureError => new FailureError('registration_unusable', 'registration', { ...facts, reason });
  const parsed = Registration.safeParse(body);
  if (!parsed.success) throw unusable(`${String(parsed.error.issues[0]?.path[0] ?? 'The body')} is missing or of the wrong kind.`);
  const authMethod = assignedMethod(parsed.data, context, unusable);
  return registered(parsed.data, context.requested, authMethod);
}

/** An `error` member is an error at any status: some servers send it with 200. */
function refuseErrors(response: Response, body: unknown, facts: FailureDetails): void {
  const { status } = response;
  const said = Rejection.safeParse(body).data;
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
  registration: Registration,
  { metadata, requested, methods }: RegistrationContext,
  unusable: (reason: string) => FailureError,
): TokenEndpointAuthMethod {
  // mcp-auth-proxy writes an empty text where it was told nothing.
  const echoed = registration.token_endpoint_auth_method || undefined;
  const hasSecret = (registration.client_secret ?? '') !== '';
  if (echoed === undefined) {
    const wish = requested.token_endpoint_auth_method ?? 'none';
    if (wish === 'private_key_jwt' || (hasSecret && wish !== 'none')) return wish;
    return chooseAuthMethod({ hasSecret, hasPrivateKey: false, supported: metadata.token_endpoint_auth_methods_supported });
  }
  const assigned = methods.find((method) => method === echoed);
  if (assigned === undefined) {
    throw unusable(`It assigns the authentication method ${serverText(echoed, 40) ?? '(empty)'}, which this client cannot do.`);
  }
  if (usesSecret(assigned) && !hasSecret) throw unusable(`It assigns ${assigned} but holds no client_secret.`);
  return assigned;
}

function usesSecret(method: TokenEndpointAuthMethod): boolean {
  return method === 'client_secret_basic' || method === 'client_secret_post';
}

function registered(registration: Registration, requested: ClientMetadata, authMethod: TokenEndpointAuthMethod): RegisteredClient {
  const secret = usesSecret(authMethod) ? registration.client_secret : undefined;
  // Zero means never (RFC 7591 section 3.2.1), and so does nothing: Cloudflare's library left the member out for long.
  const expiresAt = Number(registration.client_secret_expires_at ?? 0);
  return {
    clientId: registration.client_id,
    ...(typeof secret === 'string' && {
      clientSecret: secret,
      ...(expiresAt > 0 && Number.isFinite(expiresAt) && { secretExpiresAtEpochSeconds: Math.floor(expiresAt) }),
    }),
    authMethod,
    // Those sent as well: where a server answers with others (written anew, or none),
    // registering once more for the one in use would change nothing.
    redirectUris: [...new Set([...requested.redirect_uris, ...registration.redirect_uris])],
    applicationType: registration.application_type ?? requested.application_type ?? applicationType(requested.redirect_uris),
  };
}

function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
