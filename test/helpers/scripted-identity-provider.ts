/** An identity provider that says what a test wants it to: metadata, tokens and errors, over an injected `fetch`. */
import type { GatewayOptions } from '../../src/gateway/oauth/gateway-options.ts';
import { settled } from './simulated-clock.ts';

export const IDENTITY_PROVIDER = 'https://login.example.com';

export interface RevocationRequest {
  readonly form: URLSearchParams;
  readonly authorization: string | null;
}

export interface ScriptedIdentityProvider {
  readonly fetch: NonNullable<GatewayOptions['fetch']>;
  /** Forms that reached the token endpoint, newest last. */
  readonly tokenRequests: URLSearchParams[];
  readonly revocations: RevocationRequest[];
  /** The tokens that were to be revoked, whatever the answer was. */
  readonly revoked: readonly string[];
  /** What the metadata says. */
  metadata: Record<string, unknown>;
  /** Answers a token request. */
  answer: (form: URLSearchParams) => Response | Promise<Response>;
  answerRevocation: (form: URLSearchParams) => Response | Promise<Response>;
  /** Every request fails as if nothing was there. */
  isDown: boolean;
}

export function scriptedIdentityProvider(): ScriptedIdentityProvider {
  let issued = 0;
  const script: ScriptedIdentityProvider = {
    tokenRequests: [],
    revocations: [],
    get revoked() {
      return script.revocations.map(({ form }) => form.get('token') ?? '');
    },
    isDown: false,
    metadata: {
      issuer: IDENTITY_PROVIDER,
      authorization_endpoint: `${IDENTITY_PROVIDER}/authorize`,
      token_endpoint: `${IDENTITY_PROVIDER}/token`,
      revocation_endpoint: `${IDENTITY_PROVIDER}/revoke`,
      authorization_response_iss_parameter_supported: true,
    },
    answer: () => {
      issued += 1;
      return Response.json({
        access_token: `upstream-access-${issued}`,
        refresh_token: `upstream-refresh-${issued}`,
        token_type: 'Bearer',
        expires_in: 600,
      });
    },
    answerRevocation: () => new Response(null, { status: 200 }),
    fetch: async (input, init) => {
      const request = new Request(input, init);
      await settled();
      if (script.isDown) throw new TypeError('fetch failed');
      const { pathname } = new URL(request.url);
      if (request.method === 'GET')
        return pathname.startsWith('/.well-known/') ? Response.json(script.metadata) : new Response(null, { status: 404 });
      const form = new URLSearchParams(await request.text());
      if (pathname === '/revoke') {
        script.revocations.push({ form, authorization: request.headers.get('authorization') });
        return script.answerRevocation(form);
      }
      script.tokenRequests.push(form);
      return script.answer(form);
    },
  };
  return script;
}
