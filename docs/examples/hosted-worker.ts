/**
 * One of any number of workers of a web application whose users connect their accounts to an MCP server. What the workers
 * share is in Redis: whichever is asked begins the login, whichever the browser comes back to completes it, and one that
 * ends takes nothing along.
 *
 *     npm run build && npm run demo -- --serve      # in another terminal: an MCP server to connect to
 *     export MCP_SERVER=http://127.0.0.1:…/mcp      # what it printed
 *     export VAULT_KEY=$(openssl rand -base64 32) PUBLIC_URL=http://127.0.0.1:3002 REDIS_URL=redis://127.0.0.1:6379
 *     PORT=3001 node docs/examples/hosted-worker.ts &
 *     PORT=3002 node docs/examples/hosted-worker.ts
 *
 * In a browser: http://127.0.0.1:3001/sign-in?as=ann, then /connect, which comes back to the other worker, then /ask.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { AuthorizationError, createAuthorizationHost } from 'authchart';
import { redisStore } from 'authchart/redis';
import { sealed } from 'authchart/sealed';
import { createClient } from 'redis';

const { MCP_SERVER = 'https://mcp.example.com/mcp', PUBLIC_URL = 'https://app.example.com', PORT = '3000' } = process.env;
const { REDIS_URL = 'redis://127.0.0.1:6379', PREFIX = 'example:', VAULT_KEY = '' } = process.env;

// Without a listener the first error ends the process; without a queue, requests fail at once while Redis is away.
const redis = createClient({ url: REDIS_URL, disableOfflineQueue: true });
redis.on('error', ({ message }: Error) => console.error(`Redis: ${message}`));
await redis.connect();
const store = redisStore({ client: redis, prefix: PREFIX });
const key = Uint8Array.from(Buffer.from(VAULT_KEY, 'base64'));

/** The account that this browser is signed in to, by the application's own session. */
async function sessionOf(cookies: string | null | undefined): Promise<string | undefined> {
  const session = /(?:^|; )session=([\w-]+)/.exec(cookies ?? '')?.[1];
  return session === undefined ? undefined : ((await redis.get(`${PREFIX}session:${session}`)) ?? undefined);
}

const host = createAuthorizationHost({
  store,
  vault: sealed(store, { keys: { 'key-1': key }, current: 'key-1' }),
  redirectUri: `${PUBLIC_URL}/callback`,
  clientMetadata: { client_name: 'Example' },
  identify: (request) => sessionOf(request.headers.get('cookie')),
  afterLogin: '/connected',
});

/** Where the application's own sign-in is: password, passkey, single sign-on. */
async function signIn(request: Request): Promise<Response> {
  const session = randomBytes(32).toString('base64url');
  const account = new URL(request.url).searchParams.get('as') ?? 'nobody';
  await redis.set(`${PREFIX}session:${session}`, account, { EX: 3600 });
  // Lax: the browser has to send it along when the authorization server leads it back. Add `Secure` where there is https.
  return new Response('signed in\n', { headers: { 'set-cookie': `session=${session}; HttpOnly; SameSite=Lax; Path=/` } });
}

/** A button "connect": the browser goes to the authorization server and comes back to `/callback`, at any worker. */
async function connect(account: string): Promise<Response> {
  const status = await host.client({ resource: MCP_SERVER, account }).beginAuthorization();
  const location = 'authorizationUrl' in status ? status.authorizationUrl : '/connected';
  return new Response(null, { status: 303, headers: { location: location ?? '/connected' } });
}

/** What the application does with the access. It waits for the user, if they have not approved yet. */
async function ask(account: string): Promise<Response> {
  const client = host.client({ resource: MCP_SERVER, account });
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  const answer = await client.fetch(MCP_SERVER, { method: 'POST', headers, body, signal: AbortSignal.timeout(60_000) });
  return new Response(await answer.text(), { status: answer.status });
}

async function respond(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === '/callback') return host.handleCallback(request);
  if (pathname === '/sign-in') return signIn(request);
  if (pathname === '/connected') return new Response('connected\n');
  const account = await sessionOf(request.headers.get('cookie'));
  if (account === undefined) return new Response('Sign in first.\n', { status: 401 });
  if (pathname === '/connect') return connect(account);
  if (pathname === '/ask') return ask(account);
  return new Response('Nothing here.\n', { status: 404 });
}

/** What authchart needs of a request: method, URL and headers. With a framework that speaks Request and Response, nothing of this. */
function requestOf({ method = 'GET', url = '/', headers }: IncomingMessage): Request {
  return new Request(new URL(url, PUBLIC_URL), { method, headers: { cookie: headers.cookie ?? '' } });
}

const server = createServer((message, answer) => {
  void respond(requestOf(message))
    .catch((error: unknown) => {
      const isPassing = error instanceof AuthorizationError && error.failure.retryable;
      return new Response(error instanceof AuthorizationError ? `${error.message}\n` : 'error\n', { status: isPassing ? 503 : 500 });
    })
    .then(async (response) => {
      answer.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text());
    });
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(`listening on ${PORT}`));

process.once('SIGTERM', async () => {
  server.close();
  await host.close();
  await redis.close();
});
