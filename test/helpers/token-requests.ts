/** Both grants of the flow, sent to a scripted token endpoint. */
import { expect } from 'vitest';
import type { Failure } from '../../src/failure.ts';
import { checkAuthorizationResponse } from '../../src/protocol/authorization-response.ts';
import { type CodeExchange, exchangeCode } from '../../src/protocol/code-exchange.ts';
import type { IssuedTokens } from '../../src/protocol/documents.ts';
import { type RefreshRequest, requestRefresh } from '../../src/protocol/refresh-request.ts';
import { failureOfPromise } from './local-server.ts';
import { type Answer, type PostEndpoint, postEndpoint } from './token-endpoint.ts';

const client = { clientId: 'client-1', authMethod: 'none' } as const;
export const redirectUri = 'http://127.0.0.1:49152/callback';
export const tokens = { access_token: 'access-1', token_type: 'Bearer', expires_in: 3600, refresh_token: 'refresh-2', scope: 'a b' };

/** Nothing of this may stand in a failure (SEC-01). */
export const SECRETS = /code-1|verifier-1|state-1|refresh-[12]|access-1|planted/;

export function exchange(endpoint: PostEndpoint, o: Partial<CodeExchange> = {}): Promise<IssuedTokens> {
  const metadata = { issuer: endpoint.issuer, token_endpoint: endpoint.url };
  const { validated } = checkAuthorizationResponse({
    callbackUrl: `${redirectUri}?code=code-1&state=state-1`,
    metadata,
    clientId: client.clientId,
    expectedState: 'state-1',
  });
  return exchangeCode(endpoint.http, { metadata, client, validated, redirectUri, verifier: 'verifier-1', ...o });
}

export function refresh(endpoint: PostEndpoint, o: Partial<RefreshRequest> = {}): Promise<IssuedTokens> {
  const metadata = { issuer: endpoint.issuer, token_endpoint: endpoint.url };
  return requestRefresh(endpoint.http, { metadata, client, refreshToken: 'refresh-1', ...o });
}

/** Phase and grant, for tests of what both have in common. */
export const bothGrants = [
  ['token', exchange],
  ['refresh', refresh],
] as const;

/** The failure of one request that got this answer; it was sent once and tells no secret. */
export async function failed(send: typeof exchange | typeof refresh, answer: Answer): Promise<Failure> {
  const endpoint = await postEndpoint(answer);
  const failure = await failureOfPromise(send(endpoint));
  expect(endpoint.posts).toHaveLength(1);
  expect(JSON.stringify(failure)).not.toMatch(SECRETS);
  return failure;
}
