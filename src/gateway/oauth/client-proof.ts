/** Who sends a request to the token or revocation endpoint (RFC 6749 section 2.3). */
import { constantTimeEqual } from '../../protocol/constant-time-equal.ts';
import type { GatewayAuthMethod, GatewayClient } from './client-registration.ts';
import { findClient, type GatewayParts } from './gateway-parts.ts';
import { OAuthAnswer } from './oauth-answers.ts';
import { digestOf } from './random-text.ts';
import type { Parameters } from './request-parameters.ts';

interface Proof {
  readonly clientId: string;
  readonly method: GatewayAuthMethod;
  readonly secret: string;
}

/** @throws OAuthAnswer 401 `invalid_client`; `invalid_request` for two proofs at once */
export async function provenClient(parts: GatewayParts, request: Request, form: Parameters): Promise<GatewayClient> {
  const proof = proofIn(request, form);
  const client = await findClient(parts, proof.clientId);
  if (client === undefined) throw unknown(proof);
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
  if (header === null) return { clientId, method: secret === undefined ? 'none' : 'client_secret_post', secret: secret ?? '' };
  if (secret !== undefined) throw new OAuthAnswer('invalid_request', 'The client proves who it is in two ways.');
  const basic = basicIn(header);
  if (clientId !== '' && clientId !== basic.clientId) throw new OAuthAnswer('invalid_request', 'Header and body name two clients.');
  return basic;
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
