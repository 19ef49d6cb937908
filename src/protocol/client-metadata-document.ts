/**
 * Client ID metadata documents: a client identifier that is the https URL of a
 * document about the client (draft-ietf-oauth-client-id-metadata-document, MCP
 * "Client ID Metadata Documents"; REG-02).
 *
 * Left out: hosting the document, and reading those of others.
 */

import { FailureError } from '../failure.ts';
import { throwProblems } from '../misconfigured.ts';
import { fullClientMetadata } from './client-metadata.ts';
import type { ClientMetadata } from './documents.ts';
import { isLoopbackHost } from './endpoint-url.ts';
import type { Http } from './http.ts';

/** The draft's security considerations let authorization servers stop reading there. */
const LARGEST_DOCUMENT_BYTES = 5 * 1024;

/** What is wrong with the URL of a document, each as a sentence; empty if nothing is (section 3 of the draft). */
export function problemsOfClientMetadataUrl(url: string): string[] {
  const parsed = URL.parse(url);
  if (parsed === null) return ['The client metadata URL is not a URL.'];
  const problems: string[] = [];
  const say = (wrong: boolean, problem: string): void => void (wrong && problems.push(problem));
  say(parsed.protocol !== 'https:', 'The client metadata URL must be https.');
  say(parsed.pathname === '/', 'The client metadata URL needs a path: the root of a host is no client.');
  // The parser resolves such segments, servers compare the text.
  say(/\/(\.|%2e){1,2}(?=[/?#]|$)/i.test(url), 'The client metadata URL must not hold . or .. as a path segment.');
  say(url.includes('#'), 'The client metadata URL must not have a fragment.');
  say(parsed.username !== '' || parsed.password !== '', 'The client metadata URL must not hold user information.');
  return problems;
}

/**
 * The document to host at `url`.
 *
 * @throws AuthorizationError `invalid_configuration` with every problem of URL and metadata.
 */
export function clientMetadataDocument(url: string, metadata: ClientMetadata): ClientMetadata & { readonly client_id: string } {
  // What is left out has a meaning of its own (RFC 7591 section 2), and not the one the client runs with.
  const full = fullClientMetadata(metadata, { redirectUris: metadata.redirect_uris, offlineAccess: true });
  const document = { client_id: url, ...full };
  throwProblems([...problemsOfClientMetadataUrl(url), ...problemsOfMembers(document)]);
  return document;
}

/** What MCP requires of a document, and what a public file must not hold. */
function problemsOfMembers(document: Readonly<Record<string, unknown>>): string[] {
  const problems: string[] = [];
  const method = document.token_endpoint_auth_method;
  if (typeof document.client_name !== 'string' || document.client_name === '') problems.push('client_name is missing.');
  if (!Array.isArray(document.redirect_uris) || document.redirect_uris.length === 0) problems.push('redirect_uris is missing.');
  // Anyone can read the document, so there is no secret to share (section 4.1 of the draft).
  if (document.client_secret !== undefined) problems.push('client_secret must not be published.');
  if (method !== undefined && method !== 'none' && method !== 'private_key_jwt') {
    problems.push('token_endpoint_auth_method must be none or private_key_jwt.');
  }
  if (method === 'private_key_jwt' && document.jwks === undefined && document.jwks_uri === undefined) {
    problems.push('private_key_jwt needs jwks or jwks_uri.');
  }
  return problems;
}

/**
 * Reads the document that is hosted at `url` as an authorization server would,
 * and compares it with the metadata the client runs with.
 *
 * @returns every problem as a sentence, network failures included; empty if it can be used.
 */
export async function checkHostedDocument(http: Http, url: string, metadata: ClientMetadata): Promise<string[]> {
  const problems = problemsOfClientMetadataUrl(url);
  if (problems.length > 0) return problems;
  let response: Response;
  try {
    response = await http(url, { headers: { accept: 'application/json' }, phase: 'configuration', purpose: 'registration' });
  } catch (error) {
    if (error instanceof FailureError) return [error.failure.message];
    throw error;
  }
  if (response.status !== 200) return [`The document answers with status ${response.status}; it must be 200.`];
  const type = response.headers.get('content-type') ?? 'none';
  if (!/^application\/(.+\+)?json\b/i.test(type)) problems.push('The content type must be application/json.');
  const text = await response.text();
  if (new TextEncoder().encode(text).length > LARGEST_DOCUMENT_BYTES) problems.push('The document is larger than 5 kB.');
  const document = objectIn(text);
  if (document === undefined) return [...problems, 'The document is not a JSON object.'];
  return [...problems, ...problemsOfMembers(document), ...differences(url, document, metadata)];
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function differences(url: string, document: Readonly<Record<string, unknown>>, metadata: ClientMetadata): string[] {
  const problems: string[] = [];
  if (document.client_id !== url) problems.push(`client_id must be exactly ${url}.`);
  const hosted = strings(document.redirect_uris);
  for (const redirectUri of metadata.redirect_uris) {
    if (!hosted.some((candidate) => covers(candidate, redirectUri))) problems.push(`redirect_uris lacks ${redirectUri}.`);
  }
  const grantTypes = document.grant_types === undefined ? ['authorization_code'] : strings(document.grant_types);
  for (const grantType of metadata.grant_types ?? []) {
    if (!grantTypes.includes(grantType)) problems.push(`grant_types lacks ${grantType}.`);
  }
  const method = metadata.token_endpoint_auth_method ?? 'none';
  // RFC 7591 section 2: left out, it means client_secret_basic, which no document can mean.
  if (document.token_endpoint_auth_method !== method) problems.push(`token_endpoint_auth_method must be ${method}.`);
  return problems;
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** Exact, but for the port of a loopback address, which is drawn anew each time (RFC 8252 section 7.3). */
function covers(registered: string, used: string): boolean {
  return registered === used || (portless(registered) !== undefined && portless(registered) === portless(used));
}

function portless(redirectUri: string): string | undefined {
  const url = URL.parse(redirectUri);
  if (url === null || url.protocol !== 'http:' || !isLoopbackHost(url.hostname)) return undefined;
  url.port = '';
  return url.href;
}
