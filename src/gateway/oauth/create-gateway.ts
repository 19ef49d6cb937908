/**
 * The gateway's own authorization server: discovery, registration, consent, sign-in
 * upstream, tokens (GWY-01 to GWY-08). Web standard: a `Request` in, a `Response` out.
 */
import { failureOf } from '../../failure.ts';
import type { RequestPlatform } from '../protect-options.ts';
import type { TokenValidator } from '../token-validator.ts';
import { createAccessTokens } from './access-tokens.ts';
import { authorize, problemAnswer } from './authorize-endpoint.ts';
import { callback } from './callback-endpoint.ts';
import { networkOf } from './client-address.ts';
import { createClientAssertions } from './client-assertions.ts';
import { createClientBounds } from './client-bounds.ts';
import { createClientDocuments } from './client-documents.ts';
import { createClientRegistration } from './client-registration.ts';
import { consent } from './consent-endpoint.ts';
import { createPages } from './consent-page.ts';
import type { GatewayOptions } from './gateway-options.ts';
import type { GatewayParts } from './gateway-parts.ts';
import { type GatewaySettings, resolveGatewaySettings } from './gateway-settings.ts';
import { gatewayValidator } from './gateway-validator.ts';
import { createGrants } from './grants.ts';
import { createGrantsToEnd } from './grants-to-end.ts';
import { documentPaths, endpointsOf, resourceDocument, serverDocument } from './metadata-documents.ts';
import { errorAnswer, jsonAnswer, notFoundAnswer, OAuthAnswer } from './oauth-answers.ts';
import { createRefreshTokens } from './refresh-tokens.ts';
import { bodyOf } from './request-parameters.ts';
import { revoke } from './revoke-endpoint.ts';
import { answerAt, healthRoute, openRoute, pageRoute, type Route } from './routes.ts';
import { token } from './token-endpoint.ts';
import { createTransactionSecrets } from './transaction-secrets.ts';
import { createTransactions } from './transactions.ts';
import { createUpstream } from './upstream.ts';

export interface Gateway {
  /** The canonical identifier of the resource it gives access to. */
  readonly resource: string;
  /** Answers at the gateway's own paths; 404 for all others. Never rejects. Takes anything in second place, as `protect` does. */
  fetch(request: Request, platform?: RequestPlatform | object): Promise<Response>;
  /** True for a request at one of the gateway's own paths. */
  owns(request: Request): boolean;
  /** For `protect`: takes the gateway's access tokens, and gives the backend the upstream token. */
  readonly validator: Required<TokenValidator>;
}

/** @throws AuthorizationError `invalid_configuration`, its `failure.details.problems` naming every mistake. */
export function createGateway(options: GatewayOptions): Gateway {
  const settings = resolveGatewaySettings(options);
  const parts = partsOf(settings);
  const routes = routesOf(parts);
  const routeOf = (request: Request): Route | undefined => routes.get(new URL(request.url).pathname);
  return {
    resource: settings.resource,
    validator: gatewayValidator(settings, parts.accessTokens, parts.grants),
    owns: (request) => routeOf(request) !== undefined,
    async fetch(request, platform) {
      const route = routeOf(request);
      if (route === undefined) return notFoundAnswer();
      try {
        return await answerAt(route, request, networkOf(request, platform, settings.clientAddressHeader));
      } catch (thrown) {
        const failed = failureAnswer(settings, thrown);
        return route.isPage === true ? await problemAnswer(parts, request, failed.message, failed) : errorAnswer(failed);
      } finally {
        // Afterwards: the request may be about the very code.
        waitFor(parts.grantsToEnd.sweep(), platform);
      }
    },
  };
}

function waitFor(work: Promise<void> | undefined, platform: RequestPlatform | object | undefined): void {
  const { waitUntil } = Object(platform) as RequestPlatform;
  // Called as a method: on Workers it needs its object.
  if (work !== undefined && typeof waitUntil === 'function') waitUntil.call(platform, work);
}

function partsOf(settings: GatewaySettings): GatewayParts {
  const endpoints = endpointsOf(settings.issuer);
  const upstream = createUpstream(settings, endpoints.callback);
  const bounds = createClientBounds(settings);
  const transactions = createTransactions(settings);
  const grants = createGrants(settings, upstream);
  return {
    settings,
    endpoints,
    upstream,
    bounds,
    assertions: createClientAssertions(settings),
    registration: createClientRegistration(settings),
    documents: createClientDocuments(settings, bounds),
    transactions,
    secrets: createTransactionSecrets(settings),
    grants,
    grantsToEnd: createGrantsToEnd(settings, transactions, grants),
    accessTokens: createAccessTokens(settings),
    refreshTokens: createRefreshTokens(settings),
    pages: createPages(settings.consent),
  };
}

function routesOf(parts: GatewayParts): ReadonlyMap<string, Route> {
  const { settings, endpoints, accessTokens, registration } = parts;
  const paths = documentPaths(settings);
  const resourceMetadata = openRoute('GET', () => jsonAnswer(resourceDocument({ ...settings, authorizationServers: [settings.issuer] })));
  const serverMetadata = openRoute('GET', () => jsonAnswer(serverDocument(settings, accessTokens.algorithms)));
  const at = (url: string): string => new URL(url).pathname;
  return new Map<string, Route>([
    ...paths.resource.map((path) => [path, resourceMetadata] as const),
    ...paths.server.map((path) => [path, serverMetadata] as const),
    [at(endpoints.jwks), openRoute('GET', async () => jsonAnswer({ keys: await accessTokens.publicKeys() }))],
    [at(endpoints.health), healthRoute],
    [
      at(endpoints.register),
      openRoute('POST', async (request, network) => {
        parts.bounds.countRegistration(network);
        const body = await bodyOf(request, 'application/json', settings.limits.requestBytes);
        return jsonAnswer(await registration.register(body), { status: 201 });
      }),
    ],
    [at(endpoints.authorize), pageRoute('GET', (request, network) => authorize(parts, request, network))],
    [at(endpoints.consent), pageRoute('POST', (request, network) => consent(parts, request, network))],
    [at(endpoints.callback), pageRoute('GET', (request, network) => callback(parts, request, network))],
    [at(endpoints.token), openRoute('POST', (request, network) => token(parts, request, network))],
    [at(endpoints.revoke), openRoute('POST', (request, network) => revoke(parts, request, network))],
  ]);
}

/** A store that is down is an outage, and whatever else happens is ours to mend: neither tells a stranger anything. */
function failureAnswer(settings: GatewaySettings, thrown: unknown): OAuthAnswer {
  if (thrown instanceof OAuthAnswer) return thrown;
  const { code } = failureOf(thrown, 'request');
  settings.log('error', 'gateway.request-failed', { code });
  const headers = { 'Retry-After': '5' };
  return new OAuthAnswer('temporarily_unavailable', 'The request cannot be served now.', { status: 503, headers });
}
