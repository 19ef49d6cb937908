/** The same MCP server behind `protect` and behind the SDK's own bearer middleware, doing the same check of the same JWT. */
import { createMcpHandler, OAuthError, OAuthErrorCode, requireBearerAuth } from '@modelcontextprotocol/server';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { MCP_SCOPES, weatherServer } from '../fixtures/mcp-resource.ts';
import { timePerOperation } from './measure.ts';
import type { Comparison } from './report.ts';

export type BuiltGateway = typeof import('../../src/gateway.ts');

const ISSUER = 'https://login.example.com';
const RESOURCE = 'https://mcp.example.com/mcp';
/** A call takes about half a millisecond; short rounds, since whatever else the machine does comes in bursts. */
const OPERATIONS = 50;
/** The issue allows a quarter of a millisecond of CPU for each request. */
const ALLOWED_MS = 0.25;

export async function compareProtectedRequests(gateway: BuiltGateway, rounds: number): Promise<readonly Comparison[]> {
  const { token, jwks } = await issued();
  const mcp = createMcpHandler(weatherServer);
  const ours = gateway.protect({
    resource: RESOURCE,
    scopes: [MCP_SCOPES.read],
    validator: new gateway.OidcTokenValidator({ issuer: ISSUER, jwksUrl: `${ISSUER}/jwks`, fetch: async () => Response.json(jwks) }),
    createClient: ({ token: backend }) => ({ backend, close() {} }),
    handler: (request, { caller }) => mcp.fetch(request, { authInfo: { token: '', clientId: '', scopes: [...(caller?.scopes ?? [])] } }),
  });
  const gate = sdkGate(jwks);
  const sdk = async (request: Request): Promise<Response> => {
    const allowed = await gate(request);
    return allowed instanceof Response ? allowed : mcp.fetch(request, { authInfo: allowed });
  };
  const call = async (handle: (request: Request) => Promise<Response>): Promise<void> => {
    const response = await handle(toolCall(token));
    await response.text();
    if (response.status !== 200) throw new Error(`the call was answered with ${response.status}`);
  };
  const times = await timePerOperation(
    [
      {
        name: 'open',
        run: () => call((request) => mcp.fetch(request, { authInfo: { token: '', clientId: '', scopes: [MCP_SCOPES.read] } })),
      },
      { name: 'ours', run: () => call(ours) },
      { name: 'sdk', run: () => call(sdk) },
    ],
    { rounds, operations: OPERATIONS },
  );
  const ms = (name: string): number => times.get(name) ?? Number.NaN;
  return [
    {
      name: 'requests to a protected MCP server',
      unit: '/s',
      ours: 1000 / ms('ours'),
      sdk: 1000 / ms('sdk'),
      sdkName: 'requireBearerAuth',
      atLeast: 0.8,
    },
    {
      name: 'what the protection adds, of 0.25 ms allowed',
      unit: 'ms',
      ours: ms('ours') - ms('open'),
      sdk: ALLOWED_MS,
      sdkName: 'the limit',
      atMost: 1,
    },
  ];
}

function toolCall(token: string): Request {
  return new Request(RESOURCE, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_weather","arguments":{"city":"Oslo"}}}',
  });
}

async function issued(): Promise<{ readonly token: string; readonly jwks: JSONWebKeySet }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const token = await new SignJWT({ scope: `${MCP_SCOPES.read} ${MCP_SCOPES.write}`, client_id: 'client' })
    .setProtectedHeader({ alg: 'ES256', kid: 'key', typ: 'at+jwt' })
    .setIssuer(ISSUER)
    .setAudience(RESOURCE)
    .setSubject('alice')
    .setExpirationTime('1h')
    .sign(privateKey);
  return { token, jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'key', alg: 'ES256' }] } };
}

/** As the SDK's documentation has it, with keys that are there already. */
function sdkGate(jwks: JSONWebKeySet): ReturnType<typeof requireBearerAuth> {
  const keys = createLocalJWKSet(jwks);
  return requireBearerAuth({
    requiredScopes: [MCP_SCOPES.read],
    expectedResource: new URL(RESOURCE),
    verifier: {
      async verifyAccessToken(token) {
        try {
          const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience: RESOURCE, typ: 'at+jwt' });
          const scopes = String(payload.scope).split(' ');
          return { token, clientId: String(payload.client_id), scopes, expiresAt: payload.exp ?? 0, resource: new URL(RESOURCE) };
        } catch {
          throw new OAuthError(OAuthErrorCode.InvalidToken, 'not a token of this resource, or expired');
        }
      },
    },
  });
}
