/**
 * Clients that are known by a document of their own: client identifiers that are
 * https URLs (draft-ietf-oauth-client-id-metadata-document; MCP "Client ID Metadata
 * Documents"). Read from public addresses only, without redirects, bounded in size
 * and time (GWY-05).
 */
import * as z from 'zod/mini';
import { FailureError } from '../../failure.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import { problemsOfClientMetadataUrl } from '../../protocol/client-metadata-document.ts';
import { createHttp } from '../../protocol/http.ts';
import { serverText } from '../../protocol/server-text.ts';
import { createUrlCheck } from '../../protocol/server-urls.ts';
import type { ClientBounds } from './client-bounds.ts';
import { type ClientKeys, keysAt, publicKeysIn } from './client-keys.ts';
import type { GatewayClient } from './client-registration.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { OAuthAnswer } from './oauth-answers.ts';
import { problemOfRedirectUri } from './redirect-uris.ts';

export interface ClientDocuments {
  /** `undefined` for what is no URL of a document. @throws OAuthAnswer `invalid_client`, `temporarily_unavailable` */
  find(clientId: string, network: string | undefined): Promise<GatewayClient | undefined>;
}

/** The draft's security considerations let authorization servers stop reading there. */
const LARGEST_BYTES = 5 * 1024;
/** Certificates may come along with keys. */
const LARGEST_KEYS_BYTES = 32 * 1024;
const KEPT_MS = 5 * 60_000;
const MOST_KEPT = 1_000;
const LONGEST_URL_CHARACTERS = 512;
/** It is shown to the person: other scripts look like the letters of somebody else's host, and parsers read past the rest. */
const ONE_READING = /^(?!.*["<>\\^`{|}])[\x21-\x7e]+$/;
const LONGEST_NAME_CHARACTERS = 80;

/** Counts as the internet, and is nobody's (RFC 6761): nothing closer may be pointed to from there, and no origin is exempt. */
const A_PUBLIC_PLACE = 'https://anywhere.invalid/';

const document = z.object({
  client_id: z.string(),
  client_name: z.optional(z.string()),
  redirect_uris: z.array(z.string()).check(z.minLength(1)),
  token_endpoint_auth_method: z.optional(z.string()),
  jwks: z.optional(z.unknown()),
  jwks_uri: z.optional(z.string()),
  client_secret: z.optional(z.undefined()),
});

export function createClientDocuments(
  settings: Pick<GatewaySettings, 'clientMetadataDocuments' | 'limits' | 'clock' | 'fetch'>,
  bounds: Pick<ClientBounds, 'countDocument'>,
): ClientDocuments {
  const { clientMetadataDocuments: exceptions, clock, limits, fetch } = settings;
  if (exceptions === false) return { find: () => Promise.resolve(undefined) };
  const httpLimits = { ...DEFAULT_LIMITS, requestTimeoutMs: limits.upstreamTimeoutMs, responseBytes: LARGEST_BYTES };
  const checkUrl = createUrlCheck({ resource: A_PUBLIC_PLACE, serverUrls: { ...exceptions, rule: 'strict' }, limits: httpLimits });
  const http = createHttp({ fetch, limits: httpLimits, now: () => clock.now(), checkUrl });
  const keysHttp = createHttp({ fetch, limits: { ...httpLimits, responseBytes: LARGEST_KEYS_BYTES }, now: () => clock.now(), checkUrl });
  const kept = new Map<string, { readonly client: GatewayClient; readonly untilEpochMs: number }>();

  const proofOf = (data: z.output<typeof document>): Pick<GatewayClient, 'authMethod' | 'keys'> => {
    const { token_endpoint_auth_method: authMethod = 'none', jwks, jwks_uri: jwksUri } = data;
    if (authMethod === 'none') return { authMethod };
    // There is no secret to share with whoever writes a public document.
    if (authMethod !== 'private_key_jwt') throw unusable('token_endpoint_auth_method has to be none or private_key_jwt.');
    if ((jwks === undefined) === (jwksUri === undefined)) throw unusable('private_key_jwt needs jwks, or jwks_uri, and not both.');
    if (jwksUri !== undefined) {
      if (!jwksUri.startsWith('https://') || jwksUri.length > LONGEST_URL_CHARACTERS) throw unusable('jwks_uri is no https URL.');
      return {
        authMethod,
        keys: guarded(keysAt(jwksUri, { http: keysHttp, clock, unusable: () => unusable('jwks_uri leads to no key set.') })),
      };
    }
    const keys = publicKeysIn(jwks);
    if (keys === undefined || keys.length === 0) throw unusable('jwks is no set of public keys.');
    return { authMethod, keys: () => Promise.resolve(keys) };
  };

  const read = async (url: string): Promise<GatewayClient> => {
    const response = await http(url, { phase: 'registration', purpose: 'registration', headers: { Accept: 'application/json' } });
    if (!response.ok) throw unusable('The client metadata document is not there.');
    const { data } = document.safeParse(await response.json().catch(() => undefined));
    if (data === undefined) throw unusable('The client metadata document is not one.');
    if (data.client_id !== url) throw unusable('The client metadata document names another client_id.');
    const problem = data.redirect_uris.map(problemOfRedirectUri).find((found) => found !== undefined);
    if (problem !== undefined || data.redirect_uris.length > limits.redirectUris)
      throw unusable(problem ?? 'There are too many redirect URIs.');
    const name = serverText(data.client_name, LONGEST_NAME_CHARACTERS);
    return { clientId: url, redirectUris: data.redirect_uris, ...proofOf(data), ...(name !== undefined && { name }) };
  };

  return {
    async find(clientId, network) {
      if (!clientId.startsWith('https://')) return undefined;
      if (clientId.length > LONGEST_URL_CHARACTERS || !ONE_READING.test(clientId) || problemsOfClientMetadataUrl(clientId).length > 0)
        throw unusable('The client_id is no URL of a document.');
      const known = kept.get(clientId);
      if (known !== undefined && known.untilEpochMs > clock.now()) return known.client;
      bounds.countDocument(network);
      const client = await read(clientId).catch((thrown: unknown) => {
        throw thrown instanceof FailureError ? refusalOf(thrown) : thrown;
      });
      if (kept.size >= MOST_KEPT) kept.clear();
      kept.set(clientId, { client, untilEpochMs: clock.now() + KEPT_MS });
      return client;
    },
  };
}

function guarded(keys: ClientKeys): ClientKeys {
  return (keyId) =>
    keys(keyId).catch((thrown: unknown) => {
      throw thrown instanceof FailureError ? refusalOf(thrown) : thrown;
    });
}

/** Why a document could not be read is not told to strangers: it would say what is in our network. */
function refusalOf({ failure }: FailureError): OAuthAnswer {
  if (failure.code !== 'network_timeout' && failure.code !== 'network_unreachable')
    return unusable('The client metadata document cannot be used.');
  return new OAuthAnswer('temporarily_unavailable', 'The client metadata document cannot be read now.', {
    status: 503,
    headers: { 'Retry-After': '30' },
  });
}

function unusable(description: string): OAuthAnswer {
  return new OAuthAnswer('invalid_client', description);
}
