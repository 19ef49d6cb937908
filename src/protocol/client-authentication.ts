/**
 * How the client proves who it is at the token endpoint: RFC 6749 section 2.3.1,
 * RFC 7523 section 2.2 (`private_key_jwt`), RFC 8414 section 2 for the default
 * (TOK-01). Left out: `client_secret_jwt` and mutual TLS, which no MCP server is
 * known to ask for.
 */
import { type ClientAuth, None, PrivateKeyJwt } from 'oauth4webapi';
import { FailureError } from '../failure.ts';
import type { ClientAuthenticator, PreregisteredClient } from '../options.ts';
import type { TokenEndpointAuthMethod } from './documents.ts';

/** A client as the token endpoint gets to know it. Holds secrets: never in context, events or logs. */
export interface TokenClient {
  readonly clientId: string;
  readonly authMethod: TokenEndpointAuthMethod;
  readonly clientSecret?: string | undefined;
  readonly privateKey?: PreregisteredClient['privateKey'] | undefined;
  /** The embedder's own function; it takes the place of `authMethod`. */
  readonly authenticate?: ClientAuthenticator | undefined;
}

export interface AuthMethodChoice {
  /** What the registration response assigned. */
  readonly assigned?: TokenEndpointAuthMethod | undefined;
  /** What the embedder configured for a pre-registered client. */
  readonly configured?: TokenEndpointAuthMethod | undefined;
  readonly hasSecret: boolean;
  readonly hasPrivateKey: boolean;
  /** `token_endpoint_auth_methods_supported` of the authorization server. */
  readonly supported?: readonly string[] | undefined;
}

/** Strongest first: a signature proves more than a secret sent along, a header leaks less than a body. */
const STRONGEST_FIRST = ['private_key_jwt', 'client_secret_basic', 'client_secret_post', 'none'] as const;

/**
 * The method to use (TOK-01): what the embedder configured, else what
 * registration assigned, else the strongest that both sides can do.
 *
 * Where the server does not say what it supports, `client_secret_basic` is the
 * default of RFC 8414; where it supports nothing of ours, a client with a secret
 * uses it too, since RFC 6749 section 2.3.1 obliges every server to take it.
 */
export function chooseAuthMethod(o: AuthMethodChoice): TokenEndpointAuthMethod {
  const ruled = o.configured ?? o.assigned;
  if (ruled !== undefined) return ruled;
  const ours = STRONGEST_FIRST.filter((method) => canUse(method, o));
  const both = ours.find((method) => o.supported?.includes(method) === true);
  if (both !== undefined) return both;
  if (o.hasSecret) return 'client_secret_basic';
  return o.hasPrivateKey ? 'private_key_jwt' : 'none';
}

function canUse(method: TokenEndpointAuthMethod, o: AuthMethodChoice): boolean {
  if (method === 'none') return true;
  return method === 'private_key_jwt' ? o.hasPrivateKey : o.hasSecret;
}

/**
 * What oauth4webapi calls to authenticate a token request.
 *
 * @throws FailureError `invalid_configuration` if the method needs a secret or
 *   key that is not there.
 */
export function clientAuthentication(client: TokenClient, tokenEndpoint: string): ClientAuth {
  if (client.authenticate !== undefined) return byEmbedder(client.authenticate, tokenEndpoint);
  switch (client.authMethod) {
    case 'none':
      return None();
    case 'client_secret_basic':
      return clientSecretBasic(secretOf(client));
    case 'client_secret_post':
      return clientSecretPost(secretOf(client));
    case 'private_key_jwt':
      return privateKeyJwt(client);
  }
}

/**
 * RFC 6749 section 2.3.1: identifier and secret are form-encoded before they are
 * joined. Encoded as the platform's own forms are, which leaves `-`, `.` and `_`
 * alone: many servers never decode, and with oauth4webapi's encoding, which
 * escapes these too, they do not find `my-client`.
 */
function clientSecretBasic(secret: string): ClientAuth {
  return (_server, client, _body, headers) => {
    headers.set('authorization', `Basic ${btoa(`${formEncoded(client.client_id)}:${formEncoded(secret)}`)}`);
  };
}

function clientSecretPost(secret: string): ClientAuth {
  return (_server, client, body) => {
    body.set('client_id', client.client_id);
    body.set('client_secret', secret);
  };
}

function privateKeyJwt(client: TokenClient): ClientAuth {
  const { privateKey } = client;
  if (privateKey === undefined) throw misconfigured('private_key_jwt needs a private key.');
  try {
    return PrivateKeyJwt('key' in privateKey ? { ...privateKey } : privateKey);
  } catch {
    throw misconfigured('The private key must be a private CryptoKey.');
  }
}

/**
 * The client identifier is set before the embedder's function runs: RFC 6749
 * section 4.1.3 wants it wherever no other authentication names the client, and
 * the function may delete it.
 */
function byEmbedder(authenticate: ClientAuthenticator, tokenEndpoint: string): ClientAuth {
  return async (server, client, body, headers) => {
    body.set('client_id', client.client_id);
    await authenticate({ issuer: server.issuer, tokenEndpoint, clientId: client.client_id, body, headers });
  };
}

function secretOf(client: TokenClient): string {
  const { authMethod, clientSecret } = client;
  if (clientSecret === undefined || clientSecret === '') throw misconfigured(`${authMethod} needs a client secret.`);
  return clientSecret;
}

function misconfigured(reason: string): FailureError {
  return new FailureError('invalid_configuration', 'token', { reason });
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
