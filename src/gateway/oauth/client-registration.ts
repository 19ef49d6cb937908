/**
 * Clients that register themselves (RFC 7591), each under an identifier of its own,
 * within bounds: size, number, lifetime and rate (GWY-05).
 */
import * as z from 'zod/mini';
import { isScopeToken } from '../../protocol/scope-token.ts';
import { parseScope } from '../../protocol/scopes.ts';
import { serverText } from '../../protocol/server-text.ts';
import { decodeRecord, RECORD_FORMAT } from '../../records/record-format.ts';
import type { JsonObject } from '../../stores/contract.ts';
import type { ClientKeys } from './client-keys.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { OAuthAnswer } from './oauth-answers.ts';
import { digestOf, randomText } from './random-text.ts';
import { problemOfRedirectUri } from './redirect-uris.ts';
import { createSlots } from './slots.ts';

export type GatewayAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';

/** A client as the gateway knows it. */
export interface GatewayClient {
  readonly clientId: string;
  readonly redirectUris: readonly string[];
  /** What the client calls itself: shown, and never believed. */
  readonly name?: string | undefined;
  readonly authMethod: GatewayAuthMethod;
  readonly secretDigest?: string | undefined;
  /** Public keys for `private_key_jwt`. */
  readonly keys?: ClientKeys | undefined;
}

export interface ClientRegistration {
  /** The answer to a registration request. @throws OAuthAnswer */
  register(body: string): Promise<object>;
  find(clientId: string): Promise<GatewayClient | undefined>;
  /** The client is in use: it is not forgotten for another while. */
  keep(clientId: string): Promise<void>;
}

const ROUNDS = 5;
const MINUTE_MS = 60_000;
const LONGEST_NAME_CHARACTERS = 80;

const wanted = z.object({
  redirect_uris: z.array(z.string()).check(z.minLength(1)),
  client_name: z.optional(z.nullable(z.string())),
  token_endpoint_auth_method: z.optional(z.nullable(z.enum(['none', 'client_secret_basic', 'client_secret_post']))),
  grant_types: z.optional(z.nullable(z.array(z.string()))),
  response_types: z.optional(z.nullable(z.array(z.string()))),
  scope: z.optional(z.nullable(z.string())),
});

const record = z.object({
  clientId: z.string(),
  redirectUris: z.array(z.string()),
  name: z.exactOptional(z.string()),
  authMethod: z.enum(['none', 'client_secret_basic', 'client_secret_post']),
  secretDigest: z.exactOptional(z.string()),
  expiresAtEpochMs: z.number(),
});

export function createClientRegistration({
  store,
  limits,
  clock,
}: Pick<GatewaySettings, 'store' | 'limits' | 'clock'>): ClientRegistration {
  const slots = createSlots(store, 'client', limits.registrations);
  let window = { startedAtEpochMs: 0, count: 0 };

  const countOne = (): void => {
    const now = clock.now();
    if (now - window.startedAtEpochMs >= MINUTE_MS || now < window.startedAtEpochMs) window = { startedAtEpochMs: now, count: 0 };
    window.count += 1;
    if (window.count > limits.registrationsPerMinute) throw full('Too many clients register at this time.', 429);
  };

  const lifetime = (): number => clock.now() + limits.registrationSeconds * 1000;

  const read = async (clientId: string) => {
    const found = await slots.read(clientId, (value) => value['clientId']);
    return found && { facts: decodeRecord('gateway client', record, found), version: found.version };
  };

  /** Under an identifier of its own. @throws OAuthAnswer 503 where no slot is free */
  const stored = async (client: JsonObject & { readonly expiresAtEpochMs: number }): Promise<string> => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const clientId = await slots.free();
      if (clientId === undefined) break;
      const options = { expected: null, expiresAtEpochMs: client.expiresAtEpochMs };
      if ((await store.write(slots.keyOf(clientId) ?? '', { ...client, clientId }, options)).written) return clientId;
      // Another was given the same slot at the same moment, and wrote first.
    }
    throw full('No more clients can be registered at this time.', 503);
  };

  return {
    async register(body) {
      countOne();
      const asked = readRequest(body, limits.redirectUris);
      const secret = asked.authMethod === 'none' ? undefined : randomText();
      const expiresAtEpochMs = lifetime();
      const client = { format: RECORD_FORMAT, ...asked, ...(secret && { secretDigest: await digestOf(secret) }), expiresAtEpochMs };
      const clientId = await stored(client);
      return {
        client_id: clientId,
        client_id_issued_at: Math.floor(clock.now() / 1000),
        // It ends with the registration, and that lasts while the client is in use.
        ...(secret && { client_secret: secret, client_secret_expires_at: 0 }),
        redirect_uris: asked.redirectUris,
        ...(asked.name !== undefined && { client_name: asked.name }),
        token_endpoint_auth_method: asked.authMethod,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      };
    },

    find: async (clientId) => (await read(clientId))?.facts,

    async keep(clientId) {
      const found = await read(clientId);
      // Once in a tenth of its lifetime is enough.
      if (found === undefined || found.facts.expiresAtEpochMs > clock.now() + limits.registrationSeconds * 900) return;
      const expiresAtEpochMs = lifetime();
      const kept = { format: RECORD_FORMAT, ...found.facts, expiresAtEpochMs };
      await store.write(slots.keyOf(clientId) ?? '', kept, { expected: found.version, expiresAtEpochMs });
    },
  };
}

interface Asked {
  readonly redirectUris: readonly string[];
  readonly name?: string;
  readonly authMethod: GatewayAuthMethod;
}

/** @throws OAuthAnswer `invalid_redirect_uri`, `invalid_client_metadata` (RFC 7591 section 3.2.2) */
function readRequest(body: string, mostRedirectUris: number): Asked {
  if (body.trim() === '') {
    throw new OAuthAnswer(
      'invalid_client_metadata',
      'The body is empty; what runs before the gateway, such as a JSON parser, may have read it.',
    );
  }
  const { data } = wanted.safeParse(jsonOf(body));
  if (data === undefined) throw new OAuthAnswer('invalid_client_metadata', 'redirect_uris is missing, or a member is of the wrong kind.');
  const redirectUris = [...new Set(data.redirect_uris)];
  if (redirectUris.length > mostRedirectUris)
    throw new OAuthAnswer('invalid_redirect_uri', `There are more than ${mostRedirectUris} redirect URIs.`);
  const problem = redirectUris.map(problemOfRedirectUri).find((found) => found !== undefined);
  if (problem !== undefined) throw new OAuthAnswer('invalid_redirect_uri', problem);
  if (data.grant_types && !data.grant_types.includes('authorization_code')) {
    throw new OAuthAnswer('invalid_client_metadata', 'grant_types has to hold authorization_code.');
  }
  if (data.response_types && !data.response_types.includes('code'))
    throw new OAuthAnswer('invalid_client_metadata', 'response_types has to hold code.');
  if (!parseScope(data.scope ?? '').every(isScopeToken))
    throw new OAuthAnswer('invalid_client_metadata', 'scope holds characters that no scope has.');
  const name = serverText(data.client_name, LONGEST_NAME_CHARACTERS);
  return {
    redirectUris,
    ...(name !== undefined && { name }),
    // RFC 7591 section 2: left out, it is client_secret_basic.
    authMethod: data.token_endpoint_auth_method ?? 'client_secret_basic',
  };
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function full(description: string, status: 429 | 503): OAuthAnswer {
  return new OAuthAnswer('temporarily_unavailable', description, { status, headers: { 'Retry-After': '60' } });
}
