/**
 * The program the MCP conformance suite tests: the official client SDK's
 * transport with authchart's `fetch`, and nothing of the SDK's own OAuth.
 *
 *     npm run -s conformance:client -- <url of the MCP server>
 *
 * The suite names scenario, protocol revision and context in its environment
 * variables. Exit code 0: everything was called; 1: refused, with the failure's
 * code as a JSON line on standard output.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createAuthorizationClient } from '../../src/client.ts';
import { AuthorizationError } from '../../src/errors.ts';
import type { PreregisteredClient } from '../../src/options.ts';
import type { UserAgent } from '../../src/user-agents/contract.ts';

/** The suite accepts this client ID metadata document without fetching it. */
const CLIENT_METADATA_URL = 'https://conformance-test.local/client-metadata.json';
const REDIRECT_URI = 'http://127.0.0.1:3000/callback';

/** The first revision without a session: its requests carry what `initialize` used to agree on. */
const FIRST_STATELESS_REVISION = '2026-07-28';

interface ScenarioContext {
  readonly issuer?: string;
  readonly client_id?: string;
  readonly client_secret?: string;
}

/** Plays the browser: the suite's authorization endpoint redirects at once. */
const redirectFollower: UserAgent = {
  open: async ({ deliver }) => ({
    redirectUri: REDIRECT_URI,
    async present({ authorizationUrl, signal }) {
      const response = await fetch(authorizationUrl, { redirect: 'manual', signal });
      const location = response.headers.get('location');
      if (location === null) throw new Error(`the authorization endpoint answered ${response.status}`);
      await deliver(location);
    },
    close: async () => {},
  }),
};

async function callEverything(url: string): Promise<void> {
  const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}') as ScenarioContext;
  const revision = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION;
  const authorization = createAuthorizationClient({
    resource: url,
    clientMetadata: { client_name: 'authchart conformance client', redirect_uris: [REDIRECT_URI] },
    clientMetadataUrl: CLIENT_METADATA_URL,
    preregistered: preregisteredClients(context),
    userAgent: redirectFollower,
    ...(revision === undefined ? {} : { protocolVersion: revision }),
  });
  const stateless = revision !== undefined && revision >= FIRST_STATELESS_REVISION;
  const client = new Client(
    { name: 'authchart-conformance-client', version: '1.0.0' },
    stateless ? { versionNegotiation: { mode: { pin: revision } } } : {},
  );
  const transport = new StreamableHTTPClientTransport(new URL(url), { fetch: authorization.fetch });
  try {
    await client.connect(transport);
    const { tools } = await client.listTools();
    for (const tool of tools) await client.callTool({ name: tool.name, arguments: {} });
  } finally {
    await client.close();
    await authorization.close();
  }
}

function preregisteredClients({ issuer, client_id, client_secret }: ScenarioContext): PreregisteredClient[] {
  if (issuer === undefined || client_id === undefined) return [];
  return [{ issuer, client_id, ...(client_secret === undefined ? {} : { client_secret }) }];
}

/** The coded refusal, also where the SDK has wrapped it. */
function authorizationErrorIn(thrown: unknown): AuthorizationError | undefined {
  if (thrown instanceof AuthorizationError) return thrown;
  return thrown instanceof Error && thrown.cause !== undefined ? authorizationErrorIn(thrown.cause) : undefined;
}

const [, , url] = process.argv;
if (url === undefined) {
  console.error('usage: npm run -s conformance:client -- <url of the MCP server>');
  process.exitCode = 2;
} else {
  try {
    await callEverything(url);
    console.log(JSON.stringify({ outcome: 'done' }));
  } catch (error) {
    const refusal = authorizationErrorIn(error);
    console.error(refusal?.message ?? error);
    console.log(JSON.stringify({ outcome: 'failed', code: refusal?.code ?? 'not a failure of the authorization' }));
    process.exitCode = 1;
  }
}
