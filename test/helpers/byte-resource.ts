/** A protected resource on a real socket that keeps the bytes of every body; its authorization server is scripted, in process. */
import type { IncomingMessage } from 'node:http';
import { type AuthorizationClient, createAuthorizationClient } from '../../src/client.ts';
import type { AuthorizationClientOptions, FetchLike } from '../../src/options.ts';
import { memoryStore } from '../../src/stores/memory-store.ts';
import { type ScriptedServers, scriptedServers } from '../fixtures/scripted/scripted-servers.ts';
import { json, localServer } from './local-server.ts';
import { type ScriptedUser, scriptedUser } from './scripted-user.ts';

export interface SeenUpload {
  readonly status: number;
  readonly method: string;
  readonly contentType: string | undefined;
  readonly contentLength: string | undefined;
  readonly bytes: Buffer;
}

export interface ByteResource {
  readonly client: AuthorizationClient;
  readonly url: string;
  readonly servers: ScriptedServers;
  readonly user: ScriptedUser;
  /** Uploads in the order in which they were read to their end. */
  readonly uploads: readonly SeenUpload[];
}

export interface ByteResourceOptions {
  readonly client?: Partial<AuthorizationClientOptions>;
  /** Answer a 401 at the headers, without waiting for the body. Default false. */
  readonly challengesEarly?: boolean;
  /** In place of the platform's. */
  readonly fetch?: FetchLike;
}

export async function byteResource(options: ByteResourceOptions = {}): Promise<ByteResource> {
  const servers = scriptedServers({ resource: { checkAudience: false } });
  const uploads: SeenUpload[] = [];
  const server = await localServer((request, response, origin) => {
    if (request.url?.startsWith('/.well-known/oauth-protected-resource') === true) {
      json(response, { resource: `${origin}/mcp`, authorization_servers: [servers.authorizationServer.issuer] });
      return;
    }
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const status = servers.authorizationServer.introspect(token) === undefined ? 401 : 200;
    const answer = (): void => json(response, { status }, status, status === 401 ? { 'www-authenticate': 'Bearer' } : {});
    const read = bytesOf(request).then((bytes) => {
      const { 'content-type': contentType, 'content-length': contentLength } = request.headers;
      uploads.push({ status, method: request.method ?? '', contentType, contentLength, bytes });
    });
    if (options.challengesEarly === true && status === 401) answer();
    else void read.then(answer);
  });
  const url = `${server.origin}/mcp`;
  const user = scriptedUser((authorizationUrl) => servers.approve(authorizationUrl));
  const platform: FetchLike = options.fetch ?? ((input, init) => fetch(input, init));
  const client = createAuthorizationClient({
    resource: url,
    fetch: (input, init) => (urlOf(input).startsWith(server.origin) ? platform(input, init) : servers.fetch(input, init)),
    store: memoryStore(),
    userAgent: user,
    clientMetadata: { redirect_uris: ['http://127.0.0.1/callback'] },
    ...options.client,
  });
  return { client, url, servers, user, uploads };
}

const urlOf = (input: string | URL | Request): string => (input instanceof Request ? input.url : String(input));

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    // The client broke off, e.g. because it had its answer already.
  }
  return Buffer.concat(chunks);
}
