/** One handler for all of a gateway: its own endpoints, and the resource behind the login (GWY-01). */

import { throwProblems, unknownOptions, when } from '../misconfigured.ts';
import { canonicalResource, isInsideResource } from '../protocol/resource-identifier.ts';
import { handlerFailed, originRefused } from './bearer-answers.ts';
import { crossOrigin, isOrigin } from './cross-origin.ts';
import { notFoundAnswer } from './oauth/oauth-answers.ts';
import type { ResourceServer } from './oauth/resource-server.ts';
import type { ProtectedHandler } from './protect-options.ts';
import { problemsOfResource } from './protect-problems.ts';

export interface GatewayHandlerOptions {
  /** What `createGateway` or `resourceServer` gave. */
  readonly gateway: ResourceServer;
  /** What `protect` gave, for the same resource. */
  readonly handler: ProtectedHandler;
  /** The public URL of the MCP server. Default: the gateway's. */
  readonly resource?: string | URL;
  /**
   * Web origins (`https://app.example.com`) whose pages may call the resource; pages of others get 403. `*` is safe: a
   * page needs an access token as any client, and cookies are never looked at. Requests that are served without a login
   * are `protect`'s to refuse (`fallbackOrigins`). Default `*`.
   */
  readonly allowedOrigins?: '*' | readonly string[];
}

/**
 * | the path | the answer |
 * |---|---|
 * | is one of the gateway's own | the gateway's |
 * | is that of the resource, or below it | the handler's, readable by web pages; preflights are answered before it |
 * | anything else, also what a `..%2f` leads out of the resource | 404 |
 *
 * Where the resource has no path it is everything that is not the gateway's own.
 *
 * @returns a function that never rejects
 * @throws AuthorizationError `invalid_configuration`, naming every mistake at once
 */
export function gatewayHandler(options: GatewayHandlerOptions): ProtectedHandler {
  throwProblems(problemsOf(options));
  const { gateway, handler, allowedOrigins = '*' } = options;
  const resource = canonicalResource(options.resource ?? gateway.resource);
  const pages = crossOrigin(resource, allowedOrigins);

  const protectedAnswer: ProtectedHandler = async (request, platform) => {
    if (!pages.allows(request)) return originRefused();
    try {
      return await handler(request, platform);
    } catch {
      // `protect` never rejects; something around it may.
      return handlerFailed();
    }
  };

  return async (request, platform) => {
    try {
      if (gateway.owns(request)) return await gateway.fetch(request, platform);
      if (!isInsideResource(resource, atResource(resource, request), 'path')) return notFoundAnswer();
      return pages.preflight(request) ?? pages.readable(request, await protectedAnswer(request, platform));
    } catch {
      return handlerFailed();
    }
  };
}

/** The path of the request at the resource's own origin: what it says about its host is not looked at (GWY-02). */
function atResource(resource: string, request: Request): URL {
  const url = new URL(resource);
  url.pathname = new URL(request.url).pathname;
  return url;
}

const OPTIONS = {
  gateway: true,
  handler: true,
  resource: true,
  allowedOrigins: true,
} as const satisfies Record<keyof GatewayHandlerOptions, true>;

function problemsOf(options: GatewayHandlerOptions): readonly string[] {
  if (typeof options !== 'object' || options === null) return ['The options are missing.'];
  const { gateway, handler, resource, allowedOrigins } = options;
  const isGateway = typeof gateway?.fetch === 'function' && typeof gateway.owns === 'function';
  return [
    ...unknownOptions(options, OPTIONS),
    ...when(!isGateway, '`gateway` is missing: what `createGateway` or `resourceServer` gave.'),
    ...when(typeof handler !== 'function', '`handler` is missing: what `protect` gave.'),
    ...(isGateway || resource !== undefined ? problemsOfResource(resource ?? gateway.resource) : []),
    ...when(
      allowedOrigins !== undefined && allowedOrigins !== '*' && !(Array.isArray(allowedOrigins) && allowedOrigins.every(isOrigin)),
      '`allowedOrigins` must be `*`, or a list of origins such as https://app.example.com, without path.',
    ),
  ];
}
