/**
 * The gateway as a client of the identity provider (GWY-07): where the person is sent,
 * what the response is checked against, tokens, their refresh and their end.
 */
import { allowInsecureRequests, customFetch, revocationRequest } from 'oauth4webapi';
import { FailureError } from '../../failure.ts';
import { authorizationUrl } from '../../protocol/authorization-request.ts';
import { checkAuthorizationResponse } from '../../protocol/authorization-response.ts';
import { chooseAuthMethod, clientAuthentication, type TokenClient } from '../../protocol/client-authentication.ts';
import { exchangeCode } from '../../protocol/code-exchange.ts';
import type { IssuedTokens, ServerMetadata } from '../../protocol/documents.ts';
import { isSafeEndpoint } from '../../protocol/endpoint-url.ts';
import type { Http } from '../../protocol/http.ts';
import { requestRefresh } from '../../protocol/refresh-request.ts';
import { promptFor, scopeUnion } from '../../protocol/scopes.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { subjectOf } from './id-token.ts';
import { loadClientKey } from './signing-keys.ts';
import { createUpstreamMetadata } from './upstream-metadata.ts';

/** What of the upstream leg has to be remembered while the person is away. Secret. */
export interface UpstreamAttempt {
  readonly verifier: string;
  readonly nonce: string;
  readonly state: string;
}

export interface UpstreamTokens extends IssuedTokens {
  readonly subject?: string;
}

export interface Upstream {
  /** @throws FailureError where the metadata cannot be had */
  authorizationUrl(
    attempt: { readonly state: string; readonly nonce: string; readonly codeChallenge: string },
    scopes: readonly string[],
  ): Promise<string>;
  /** Form, `state` and issuer of a response. @throws FailureError as `checkAuthorizationResponse` does */
  checkResponse(callbackUrl: string, expectedState: string): Promise<void>;
  /** Sends the code, once. Where the ID token cannot be believed, the tokens that came with it are ended. */
  exchange(callbackUrl: string, attempt: UpstreamAttempt, scopes: readonly string[]): Promise<UpstreamTokens>;
  refresh(refreshToken: string, signal?: AbortSignal): Promise<IssuedTokens>;
  /** Ends tokens, as far as the identity provider can be told so. Never rejects. */
  end(tokens: { readonly accessToken: string; readonly refreshToken?: string | undefined }): Promise<void>;
}

const OPENID = 'openid';

export function createUpstream(settings: Pick<GatewaySettings, 'upstream' | 'http' | 'clock' | 'log'>, redirectUri: string): Upstream {
  const { upstream, http, clock, log } = settings;
  const metadata = createUpstreamMetadata(settings);

  let imported: Promise<TokenClient['privateKey']> | undefined;
  const key = (): Promise<TokenClient['privateKey']> => {
    imported ??= privateKeyOf(upstream);
    return imported;
  };

  const client = async (of: ServerMetadata): Promise<TokenClient> => ({
    clientId: upstream.clientId,
    clientSecret: upstream.clientSecret,
    privateKey: await key(),
    authMethod: chooseAuthMethod({
      configured: upstream.authMethod,
      hasSecret: upstream.clientSecret !== undefined,
      hasPrivateKey: upstream.clientKey !== undefined,
      supported: of.token_endpoint_auth_methods_supported,
    }),
  });

  const askedFor = (scopes: readonly string[]): readonly string[] => scopeUnion(scopes, upstream.scopes);

  const validatedResponse = async (callbackUrl: string, expectedState: string) => {
    const of = await metadata();
    // Where no issuer was named there is none to compare with: whatever the response says of itself is as good.
    const issuer = upstream.issuer ?? new URL(callbackUrl).searchParams.get('iss') ?? of.issuer;
    const check = { callbackUrl, metadata: { ...of, issuer }, clientId: upstream.clientId, expectedState };
    return { of, ...checkAuthorizationResponse(check) };
  };

  const revoke = async (token: string, hint: 'access_token' | 'refresh_token'): Promise<void> => {
    try {
      const of = await metadata();
      const endpoint = of.revocation_endpoint;
      if (endpoint === undefined || !isSafeEndpoint(endpoint)) return;
      const server = { issuer: of.issuer, revocation_endpoint: endpoint };
      const response = await revocationRequest(
        server,
        { client_id: upstream.clientId },
        clientAuthentication(await client(of), endpoint),
        token,
        {
          additionalParameters: { token_type_hint: hint },
          [allowInsecureRequests]: true,
          [customFetch]: (url, { headers, body }) =>
            http(url, { method: 'POST', headers, body: body as URLSearchParams, phase: 'sign-out', purpose: 'revocation' }),
        },
      );
      if (!response.ok) log('warn', 'gateway.upstream-revocation-failed', { status: response.status });
    } catch (thrown) {
      log('warn', 'gateway.upstream-revocation-failed', {
        code: thrown instanceof FailureError ? thrown.failure.code : 'internal_error',
      });
    }
  };

  const end: Upstream['end'] = async ({ accessToken, refreshToken }) => {
    // The refresh token takes its access tokens along (RFC 7009 section 2.1); not everywhere.
    if (refreshToken !== undefined) await revoke(refreshToken, 'refresh_token');
    await revoke(accessToken, 'access_token');
  };

  return {
    async authorizationUrl({ state, nonce, codeChallenge }, scopes) {
      const asked = askedFor(scopes);
      // Not without an ID token to be in: oidc-provider refuses a `nonce` where `openid` is not asked for.
      const extra = { ...upstream.parameters, ...(asked.includes(OPENID) && { nonce }) };
      return authorizationUrl({
        metadata: await metadata(),
        clientId: upstream.clientId,
        redirectUri,
        state,
        codeChallenge,
        scopes: asked,
        resource: upstream.resource,
        prompt: promptFor(asked),
        extra,
      });
    },

    async checkResponse(callbackUrl, expectedState) {
      await validatedResponse(callbackUrl, expectedState);
    },

    async exchange(callbackUrl, { verifier, nonce, state }, scopes) {
      const { of, validated } = await validatedResponse(callbackUrl, state);
      let idToken: unknown;
      const reading: Http = async (url, request) => {
        const response = await http(url, request);
        idToken = await idTokenIn(response.clone());
        return response;
      };
      const tokens = await exchangeCode(reading, {
        metadata: of,
        client: await client(of),
        validated,
        redirectUri,
        verifier,
        resource: upstream.resource,
      });
      const asked = askedFor(scopes);
      // Of which issuer it has to be is not known: it says nothing of who the person is.
      if (upstream.issuer === undefined) return tokens;
      if (!(tokens.scopes ?? asked).includes(OPENID) && idToken === undefined) return tokens;
      const sent = asked.includes(OPENID) ? nonce : undefined;
      try {
        const check = { idToken, issuer: of.issuer, clientId: upstream.clientId, nonce: sent, nowEpochMs: clock.now() };
        return { ...tokens, subject: subjectOf(check) };
      } catch (thrown) {
        await end(tokens);
        throw thrown;
      }
    },

    async refresh(refreshToken, signal) {
      const of = await metadata();
      return requestRefresh(http, { metadata: of, client: await client(of), refreshToken, resource: upstream.resource, signal });
    },

    end,
  };
}

async function privateKeyOf({ clientKey }: GatewaySettings['upstream']): Promise<TokenClient['privateKey']> {
  if (clientKey === undefined) return undefined;
  const { sign, keyId } = await loadClientKey(clientKey);
  return { key: sign, kid: keyId };
}

async function idTokenIn(response: Response): Promise<unknown> {
  try {
    return Object(await response.json())['id_token'] ?? undefined;
  } catch {
    return undefined;
  }
}
