/** Who sends a request to the token or revocation endpoint (RFC 6749 section 2.3). */
import { constantTimeEqual } from '../../protocol/constant-time-equal.ts';
import { ASSERTION_TYPE, claimedClient } from './client-assertions.ts';
import type { GatewayAuthMethod, GatewayClient } from './client-registration.ts';
import { findClient, type GatewayParts } from './gateway-parts.ts';
import { OAuthAnswer } from './oauth-answers.ts';
import { digestOf } from './random-text.ts';
import type { Parameters } from './request-parameters.ts';

interface Proof {
  readonly clientId: string;
  readonly method: GatewayAuthMethod;
  /** The secret, or the assertion. */
  readonly secret: string;
}

/** @throws OAuthAnswer 401 `invalid_client`; `invalid_request` for two proofs at once */
export async function provenClient(
  parts: GatewayParts,
  { request, network }: { readonly request: Request; readonly network: string | undefined },
  form: Parameters,
): Promise<GatewayClient> {
  const proof = proofIn(request, form);
  const client = await findClient(parts, proof.clientId, network);
  if (client === undefined) throw unknown(proof);
  if (client.authMethod === 'private_key_jwt' || proof.method === 'private_key_jwt') {
    const isProven = client.authMethod === proof.method && (await parts.assertions.prove(client, proof.secret));
    if (!isProven) throw unknown(proof);
    return client;
  }
  if (client.authMethod === 'none') {
    if (proof.secret !== '') throw unknown(proof);
    return client;
  }
  // Which of the two ways a secret comes makes no difference to what it proves.
  if (proof.method === 'none' || client.secretDigest === undefined) throw unknown(proof);
  if (!constantTimeEqual(await digestOf(proof.secret), client.secretDigest)) throw unknown(proof);
  return client;
}

function proofIn(request: Request, form: Parameters): Proof {
  const header = request.headers.get('authorization');
  const clientId = form.get('client_id') ?? '';
  const secret = form.get('client_secret');
  const assertion = form.get('client_assertion');
  if (assertion !== undefined || form.get('client_assertion_type') !== undefined) {
    if (header !== null || secret !== undefined) throw twoWays();
    return assertionIn(form, clientId, assertion ?? '');
  }
  if (header === null) return { clientId, method: secret === undefined ? 'none' : 'client_secret_post', secret: secret ?? '' };
  if (secret !== undefined) throw twoWays();
  const basic = basicIn(header);
  if (clientId !== '' && clientId !== basic.clientId) throw new OAuthAnswer('invalid_request', 'Header and body name two clients.');
  return basic;
}

function assertionIn(form: Parameters, clientId: string, assertion: string): Proof {
  if (form.get('client_assertion_type') !== ASSERTION_TYPE)
    throw new OAuthAnswer('invalid_request', 'client_assertion_type is none that is known here.');
  // RFC 7521 section 4.2: client_id may be left out, and is the same where it is not; the signature is checked against it.
  return { clientId: clientId === '' ? (claimedClient(assertion) ?? '') : clientId, method: 'private_key_jwt', secret: assertion };
}

function twoWays(): OAuthAnswer {
  return new OAuthAnswer('invalid_request', 'The client proves who it is in two ways.');
}

function basicIn(header: string): Proof {
  const [, encoded = ''] = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(header) ?? [];
  try {
    const [clientId = '', secret = ''] = /^([^:]*):(.*)$/s.exec(atob(encoded))?.slice(1).map(formDecoded) ?? [];
    return { clientId, method: 'client_secret_basic', secret };
  } catch {
    return { clientId: '', method: 'client_secret_basic', secret: '' };
  }
}

/** RFC 6749 section 2.3.1: both are form-encoded before they are joined. */
function formDecoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function unknown({ method }: Proof): OAuthAnswer {
  const headers = method === 'client_secret_basic' ? { 'WWW-Authenticate': 'Basic realm="authorization server"' } : {};
  return new OAuthAnswer('invalid_client', 'The client is unknown, or does not prove who it is.', { status: 401, headers });
}
