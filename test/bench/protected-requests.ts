/** The same MCP server behind `protect` and behind the SDK's own bearer middleware, doing the same check of the same JWT. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type AuthInfo, createMcpHandler, OAuthError, OAuthErrorCode, requireBearerAuth } from '@modelcontextprotocol/server';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { MCP_SCOPES, weatherServer } from '../fixtures/mcp-resource.ts';
import { type Contender, cpuOverBase, timePerOperation } from './measure.ts';
import type { Comparison } from './report.ts';

export type BuiltGateway = typeof import('../../src/gateway.ts');

const run = promisify(execFile);
const ISSUER = 'https://login.example.com';
const RESOURCE = 'https://mcp.example.com/mcp';
/** A call takes about half a millisecond; short rounds, since whatever else the machine does comes in bursts. */
const OPERATIONS = 50;
/** Of the handler that only reads and answers. */
const ANSWERS = 150;
/** The issue allows a quarter of a millisecond of CPU for each request. */
const ALLOWED_MS = 0.25;

/** In a process of its own, so that it is the server's work alone that is measured. */
export async function compareProtectedRequests(entry: string, rounds: number): Promise<readonly Comparison[]> {
  const program = fileURLToPath(import.meta.url);
  const { stdout } = await run(process.execPath, ['--expose-gc', program, new URL('gateway.js', entry).href, `${rounds}`]);
  return JSON.parse(stdout) as readonly Comparison[];
}

async function compareHere(gateway: BuiltGateway, rounds: number): Promise<readonly Comparison[]> {
  const { token, jwks } = await issued();
  const mcp = createMcpHandler(weatherServer);
  /** The server behind, with what it is told of the caller's scopes. */
  type Behind = (request: Request, authInfo: AuthInfo) => Promise<Response>;
  const server: Behind = (request, authInfo) => mcp.fetch(request, { authInfo });
  /** Reads and answers, and nothing else: a difference of microseconds is lost in the milliseconds an MCP server takes. */
  const answerer: Behind = async (request) => Response.json({ read: (await request.text()).length });

  const ours = (behind: Behind) =>
    gateway.protect({
      resource: RESOURCE,
      scopes: [MCP_SCOPES.read],
      validator: new gateway.OidcTokenValidator({ issuer: ISSUER, jwksUrl: `${ISSUER}/jwks`, fetch: async () => Response.json(jwks) }),
      createClient: ({ token: backend }) => ({ backend, close() {} }),
      handler: (request, { caller }) => behind(request, { token: '', clientId: '', scopes: [...(caller?.scopes ?? [])] }),
    });
  const gate = sdkGate(jwks);
  const sdk = (behind: Behind) => async (request: Request) => {
    const allowed = await gate(request);
    return allowed instanceof Response ? allowed : behind(request, allowed);
  };
  const call = (name: string, handle: (request: Request) => Promise<Response>): Contender => ({
    name,
    async run() {
      const response = await handle(toolCall(token));
      await response.text();
      if (response.status !== 200) throw new Error(`the call was answered with ${response.status}`);
    },
  });
  const open = call('open', (request) => answerer(request, { token: '', clientId: '', scopes: [] }));
  const cpu = await cpuOverBase(open, [call('ours', ours(answerer)), call('sdk', sdk(answerer))], { rounds, operations: ANSWERS });
  const times = await timePerOperation([call('ours', ours(server)), call('sdk', sdk(server))], { rounds, operations: OPERATIONS });
  const perSecond = (name: string): number => 1000 / (times.get(name) ?? Number.NaN);
  const added = { name: 'CPU that the protection adds', unit: 'ms', ours: cpu.get('ours') ?? Number.NaN };
  return [
    {
      name: 'requests to a protected MCP server',
      unit: '/s',
      ours: perSecond('ours'),
      sdk: perSecond('sdk'),
      sdkName: 'requireBearerAuth',
      atLeast: 0.8,
    },
    { ...added, name: `${added.name}, of ${ALLOWED_MS} ms allowed`, sdk: ALLOWED_MS, sdkName: 'the limit', atMost: 1 },
    { ...added, sdk: cpu.get('sdk') ?? Number.NaN, sdkName: 'requireBearerAuth' },
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

const [, program, gatewayUrl, rounds] = process.argv;
if (program === fileURLToPath(import.meta.url) && gatewayUrl !== undefined) {
  console.log(JSON.stringify(await compareHere((await import(gatewayUrl)) as BuiltGateway, Number(rounds))));
}
