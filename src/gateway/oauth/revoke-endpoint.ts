/** The end of a grant, here and upstream, by either of its tokens (RFC 7009; GWY-08). */
import { provenClient } from './client-proof.ts';
import type { GatewayParts } from './gateway-parts.ts';
import { jsonAnswer, OAuthAnswer } from './oauth-answers.ts';
import { formOf } from './request-parameters.ts';

export async function revoke(parts: GatewayParts, request: Request, network: string | undefined): Promise<Response> {
  const form = await formOf(request, parts.settings.limits.requestBytes);
  const client = await provenClient(parts, { request, network }, form);
  const token = form.get('token');
  if (token === undefined) throw new OAuthAnswer('invalid_request', 'token is missing.');
  const facts = (await parts.refreshTokens.read(token)) ?? (await parts.accessTokens.ownerOf(token));
  // What is no token (any more) needs no revoking (RFC 7009 section 2.2).
  if (facts === undefined) return jsonAnswer({});
  if (facts.clientId !== client.clientId) throw new OAuthAnswer('unauthorized_client', 'The token was issued to another client.');
  await parts.grants.end(facts.grantId);
  return jsonAnswer({});
}
