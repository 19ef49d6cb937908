/**
 * `npm run conformance:gateway`: the MCP conformance suite's verdict on the gateway as
 * an authorization server.
 *
 * Every scenario of the suite's `authorization` command, in every protocol revision it
 * belongs to, against a gateway on real HTTP before oidc-provider, with clients of each
 * kind. Exit code 1 if one fails or was not run; warnings are shown.
 *
 *     npm run conformance:gateway -- confidential   only clients whose name contains this
 *     npm run conformance:gateway -- --verbose      everything the suite printed where something failed
 */
import { parseArgs } from 'node:util';
import { startGatewayServer } from '../fixtures/gateway-server.ts';
import { type OidcProvider, startOidcProvider } from '../fixtures/oidc-provider.ts';
import { freePort } from '../helpers/free-port.ts';
import { type GatewayResult, gatewayReport, gatewayResultLine } from './gateway-report.ts';
import { type GatewayScenario, gatewayScenarios, runAgainstGateway } from './gateway-suite.ts';

const SCOPES = ['read', 'write'];
const A_PUBLIC_ADDRESS = '93.184.215.14';
const METADATA_DOCUMENT = 'https://client.example.com/client.json';

interface ClientKind {
  readonly name: string;
  readonly authMethod: 'none' | 'client_secret_basic' | 'client_secret_post';
  /** By a document at an https URL instead of a registration. */
  readonly byDocument?: boolean;
  readonly issuerPath?: string;
}

const CLIENTS: readonly ClientKind[] = [
  { name: 'public, registered', authMethod: 'none' },
  { name: 'public, metadata document', authMethod: 'none', byDocument: true },
  { name: 'public, issuer with a path', authMethod: 'none', issuerPath: '/tenant' },
  { name: 'confidential, client_secret_basic', authMethod: 'client_secret_basic' },
  { name: 'confidential, client_secret_post', authMethod: 'client_secret_post' },
];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { verbose: { type: 'boolean', default: false } } });
const [filter = ''] = positionals;
const scenarios = await gatewayScenarios();
const results: GatewayResult[] = [];
await using provider = await startOidcProvider({ scopes: SCOPES });
for (const client of CLIENTS.filter(({ name }) => name.includes(filter))) {
  for (const result of await resultsWith(client, provider, scenarios)) results.push(result);
}
console.log(gatewayReport(results, values.verbose));
process.exitCode = results.length > 0 && results.every(({ verdict }) => verdict.startsWith('passed')) ? 0 : 1;

async function resultsWith(client: ClientKind, upstream: OidcProvider, all: readonly GatewayScenario[]): Promise<GatewayResult[]> {
  const callbackPort = await freePort();
  const redirectUri = `http://127.0.0.1:${callbackPort}/callback`;
  await using server = await startGatewayServer({
    provider: upstream,
    scopes: SCOPES,
    ...(client.issuerPath !== undefined && { issuerPath: client.issuerPath }),
    changes: { fetch: withDocument(redirectUri), clientMetadataDocuments: { resolve: () => Promise.resolve([A_PUBLIC_ADDRESS]) } },
    onAnswer: (request, response) => withOneAuthMethod(client, request, response),
  });
  const registered =
    client.byDocument === true ? { client_id: METADATA_DOCUMENT } : await register(server.issuer, redirectUri, client.authMethod);
  const found: GatewayResult[] = [];
  for (const revision of new Set(all.flatMap(({ revisions }) => revisions))) {
    const expected = all.filter(({ revisions }) => revisions.includes(revision)).map(({ scenario }) => scenario);
    const run = { issuer: server.issuer, resource: server.url, clientId: registered.client_id, clientSecret: registered.client_secret };
    const { verdicts, ...rest } = await runAgainstGateway({ ...run, callbackPort, revision }, expected);
    for (const verdict of verdicts) {
      const result = { ...rest, ...verdict, client: client.name, revision };
      console.error(gatewayResultLine(result));
      found.push(result);
    }
  }
  return found;
}

async function register(issuer: string, redirectUri: string, authMethod: string): Promise<{ client_id: string; client_secret?: string }> {
  const response = await fetch(`${issuer}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Conformance suite', redirect_uris: [redirectUri], token_endpoint_auth_method: authMethod }),
  });
  if (response.status !== 201) throw new Error(`the gateway refused to register: ${response.status} ${await response.text()}`);
  return (await response.json()) as { client_id: string; client_secret?: string };
}

/** The client ID metadata document is on a public address, which this machine need not reach. */
function withDocument(redirectUri: string): typeof fetch {
  return (input, init) => {
    const request = new Request(input, init);
    if (request.url !== METADATA_DOCUMENT) return fetch(request);
    return Promise.resolve(Response.json({ client_id: METADATA_DOCUMENT, client_name: 'Conformance suite', redirect_uris: [redirectUri] }));
  };
}

/**
 * The suite proves nothing with its secret as long as the metadata offers `none`, which
 * is no way in for a client that has one. So the suite is shown the client's own method.
 */
async function withOneAuthMethod({ authMethod }: ClientKind, request: Request, response: Response): Promise<Response> {
  const isMetadata = /\/\.well-known\/(oauth-authorization-server|openid-configuration)/.test(new URL(request.url).pathname);
  if (authMethod === 'none' || !isMetadata) return response;
  const document = (await response.json()) as object;
  return Response.json({ ...document, token_endpoint_auth_methods_supported: [authMethod] });
}
