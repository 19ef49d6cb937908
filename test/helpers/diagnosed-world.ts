/** An MCP server to diagnose: well-behaved but for the paths a test replaces. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Diagnosis, type DiscoverOptions, discover } from '../../src/diagnosis.ts';
import { json, type LocalServer, localServer } from './local-server.ts';

export type Answer = (response: ServerResponse, origin: string, request: IncomingMessage) => void;

export const RESOURCE_WELL_KNOWN = '/.well-known/oauth-protected-resource/mcp';
export const SERVER_WELL_KNOWN = '/.well-known/oauth-authorization-server';

export const challenge: Answer = (response, origin) => {
  response.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${origin}${RESOURCE_WELL_KNOWN}", scope="read"` }).end();
};
export const resourceMetadata =
  (changes: object = {}): Answer =>
  (response, origin) =>
    json(response, { resource: `${origin}/mcp`, authorization_servers: [origin], ...changes });
export const serverMetadata =
  (changes: object = {}): Answer =>
  (response, origin) =>
    json(response, {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      code_challenge_methods_supported: ['S256'],
      client_id_metadata_document_supported: true,
      authorization_response_iss_parameter_supported: true,
      ...changes,
    });

/** A well-behaved MCP server that is its own authorization server, but for the paths a test replaces. */
export async function world(replaced: Readonly<Record<string, Answer>> = {}): Promise<LocalServer> {
  const answers: Readonly<Record<string, Answer>> = {
    '/mcp': challenge,
    [RESOURCE_WELL_KNOWN]: resourceMetadata(),
    [SERVER_WELL_KNOWN]: serverMetadata(),
    ...replaced,
  };
  return localServer((request, response, origin) => {
    const answer = answers[request.url ?? ''];
    if (answer === undefined) json(response, { error: 'not found' }, 404);
    else answer(response, origin, request);
  });
}

export async function diagnosisOf(
  replaced: Readonly<Record<string, Answer>> = {},
  options: Partial<DiscoverOptions> = {},
): Promise<Diagnosis & { readonly origin: string }> {
  const { origin } = await world(replaced);
  return { origin, ...(await discover({ resource: `${origin}/mcp`, ...options })) };
}

export const notFound: Answer = (response) => json(response, {}, 404);
export const brief = ({ findings }: Diagnosis): string[] => findings.map(({ level, rule }) => `${level}: ${rule}`);
export const texts = ({ findings }: Diagnosis): string => findings.map(({ text }) => text).join('\n');
