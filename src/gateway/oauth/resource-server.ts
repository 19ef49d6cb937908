/**
 * A protected resource whose identity provider serves MCP clients itself: what they
 * discover it by, and no authorization server in between (GWY-02).
 */

import { throwProblems, unknownOptions, when } from '../../misconfigured.ts';
import { isSafeEndpoint } from '../../protocol/endpoint-url.ts';
import { canonicalResource } from '../../protocol/resource-identifier.ts';
import { isScopeToken } from '../../protocol/scope-token.ts';
import type { RequestPlatform } from '../protect-options.ts';
import { problemsOfResource } from '../protect-problems.ts';
import { endpointsOf, resourceDocument, resourceDocumentPaths } from './metadata-documents.ts';
import { jsonAnswer, notFoundAnswer } from './oauth-answers.ts';
import { answerAt, healthRoute, openRoute, type Route } from './routes.ts';

export interface ResourceServerOptions {
  /** The public URL of the MCP server. Never taken from a request. */
  readonly resource: string | URL;
  /** Issuers whose tokens the resource takes: what `protect`'s validator was given. */
  readonly authorizationServers: readonly [string, ...string[]];
  /** Every scope a client may ask for. Default: none are published. */
  readonly scopes?: readonly string[];
  /** Name of the resource, for people. Default: the host of `resource`. */
  readonly name?: string;
}

export interface ResourceServer {
  /** The canonical identifier of the resource. */
  readonly resource: string;
  /** Answers at its own paths; 404 for all others. Never rejects. */
  fetch(request: Request, platform?: RequestPlatform | object): Promise<Response>;
  /** True for a request at one of its own paths. */
  owns(request: Request): boolean;
}

/**
 * Serves the metadata of RFC 9728, at the root and with the path of the resource
 * inserted, and `/oauth/health` at the resource's origin.
 *
 * @throws AuthorizationError `invalid_configuration`, naming every mistake at once
 */
export function resourceServer(options: ResourceServerOptions): ResourceServer {
  throwProblems(problemsOf(options));
  const { authorizationServers, scopes } = options;
  const resource = canonicalResource(options.resource);
  const { origin, host } = new URL(resource);
  const document = resourceDocument({ resource, authorizationServers, scopes, name: options.name ?? host });
  const metadata = openRoute('GET', () => jsonAnswer(document));
  const routes = new Map<string, Route>([
    ...resourceDocumentPaths(resource).map((path) => [path, metadata] as const),
    [new URL(endpointsOf(origin).health).pathname, healthRoute],
  ]);
  const routeOf = (request: Request): Route | undefined => routes.get(new URL(request.url).pathname);
  return {
    resource,
    owns: (request) => routeOf(request) !== undefined,
    async fetch(request) {
      const route = routeOf(request);
      return route === undefined ? notFoundAnswer() : answerAt(route, request);
    },
  };
}

const OPTIONS = {
  resource: true,
  authorizationServers: true,
  scopes: true,
  name: true,
} as const satisfies Record<keyof ResourceServerOptions, true>;

function problemsOf(options: ResourceServerOptions): readonly string[] {
  if (typeof options !== 'object' || options === null) return ['The options are missing.'];
  const { resource, authorizationServers, scopes, name } = options;
  const isIssuer = (issuer: unknown): boolean => isSafeEndpoint(issuer) && !/[?#]|[^\x21-\x7e]/.test(issuer);
  const isScope = (scope: unknown): boolean => typeof scope === 'string' && isScopeToken(scope);
  return [
    ...unknownOptions(options, OPTIONS),
    ...problemsOfResource(resource),
    ...when(
      !Array.isArray(authorizationServers) || authorizationServers.length === 0 || !authorizationServers.every(isIssuer),
      '`authorizationServers` must name issuers: https URLs without query and fragment, or http on a loopback address.',
    ),
    ...when(
      scopes !== undefined && !(Array.isArray(scopes) && scopes.every(isScope)),
      '`scopes` must be a list of scopes (RFC 6749 section 3.3).',
    ),
    ...when(name !== undefined && (typeof name !== 'string' || name === ''), '`name` must be a text that is not empty.'),
  ];
}
