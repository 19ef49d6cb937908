/**
 * The authorization endpoint (RFC 6749 section 3.1, RFC 7636, RFC 8707): what a client
 * asks is looked at before anybody is shown anything. What is wrong with it is said here,
 * unless the client listens on the person's own machine.
 */
import { canonicalResource } from '../../protocol/resource-identifier.ts';
import { isScopeToken } from '../../protocol/scope-token.ts';
import { parseScope } from '../../protocol/scopes.ts';
import { bindingCookie } from './browser-binding.ts';
import type { GatewayClient } from './client-registration.ts';
import type { SignInProblem } from './consent-page.ts';
import { textsFor } from './consent-texts.ts';
import { findClient, type GatewayParts } from './gateway-parts.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import { htmlAnswer, OAuthAnswer, redirectAnswer } from './oauth-answers.ts';
import { digestOf, randomText } from './random-text.ts';
import { isLoopback, matchesRedirectUri } from './redirect-uris.ts';
import { type Parameters, parametersOf } from './request-parameters.ts';

const MOST_SCOPES = 50;
/** Both are stored for every page that is shown; there may be 10,000 of them. */
const LONGEST_STATE_CHARACTERS = 4096;
const LONGEST_SCOPE_CHARACTERS = 2048;

export async function authorize(parts: GatewayParts, request: Request, network: string | undefined): Promise<Response> {
  const { settings, bounds } = parts;
  if (request.url.length > settings.limits.requestBytes) return problemAnswer(parts, request, 'The request is too long.', { status: 414 });
  // Before anything is read anywhere: a client may be a document in the internet.
  bounds.countAuthorization(network);
  const parameters = parametersOf(new URL(request.url).searchParams);
  const who = await clientAndPlace(parts, parameters, network).catch((thrown: unknown) => {
    if (thrown instanceof OAuthAnswer) return thrown;
    throw thrown;
  });
  if (who instanceof OAuthAnswer) return problemAnswer(parts, request, who.message, who);
  const { client, redirectUri } = who;
  const clientState = parameters.repeated.has('state') ? undefined : parameters.get('state');
  try {
    return await askForConsent(parts, { request, network }, { client, redirectUri, clientState, ...readRequest(settings, parameters) });
  } catch (thrown) {
    if (!(thrown instanceof OAuthAnswer)) throw thrown;
    const { error, message } = thrown;
    const url = clientUrl(settings, { redirectUri, clientState }, { error, error_description: message });
    // Nobody has consented to anything: who has registered a URI here has not earned to have people sent there by us (RFC 9700
    // section 4.11.2). What listens on the person's own machine waits for an answer, and no stranger gains by one.
    return isLoopback(redirectUri)
      ? redirectAnswer(url)
      : problemAnswer(parts, request, message, { status: thrown.status, back: { error, redirectUri, url } });
  }
}

interface Asked {
  readonly client: GatewayClient;
  readonly redirectUri: string;
  readonly clientState: string | undefined;
  readonly scopes: readonly string[];
  readonly codeChallenge: string;
}

/** Wrong here, nothing is sent anywhere (RFC 6749 section 4.1.2.1). @throws OAuthAnswer */
async function clientAndPlace(
  parts: GatewayParts,
  parameters: Parameters,
  network: string | undefined,
): Promise<Pick<Asked, 'client' | 'redirectUri'>> {
  const clientId = parameters.get('client_id');
  if (clientId === undefined || parameters.repeated.has('client_id'))
    throw new OAuthAnswer('invalid_request', 'client_id has to be there once.');
  const client = await findClient(parts, clientId, network);
  if (client === undefined) throw new OAuthAnswer('invalid_client', 'The application is not registered here, or no longer.');
  const [only = '', ...others] = client.redirectUris;
  const requested = parameters.get('redirect_uri') ?? (others.length === 0 ? only : undefined);
  if (requested === undefined || parameters.repeated.has('redirect_uri'))
    throw new OAuthAnswer('invalid_request', 'redirect_uri has to be there once.');
  if (!matchesRedirectUri(client.redirectUris, requested))
    throw new OAuthAnswer('invalid_request', 'redirect_uri is none that the application has registered.');
  return { client, redirectUri: requested };
}

/** @throws OAuthAnswer with a code of RFC 6749 section 4.1.2.1 or RFC 8707 section 2 */
function readRequest(settings: GatewaySettings, parameters: Parameters): Pick<Asked, 'scopes' | 'codeChallenge'> {
  if (parameters.repeated.size > 0) throw new OAuthAnswer('invalid_request', 'A parameter is there more than once.');
  if ((parameters.get('state') ?? '').length > LONGEST_STATE_CHARACTERS) throw new OAuthAnswer('invalid_request', 'state is too long.');
  if (parameters.get('response_type') !== 'code') throw new OAuthAnswer('unsupported_response_type', 'response_type has to be code.');
  if ((parameters.get('response_mode') ?? 'query') !== 'query') throw new OAuthAnswer('invalid_request', 'response_mode has to be query.');
  if (parameters.get('request') !== undefined) throw new OAuthAnswer('request_not_supported', 'Request objects are not supported.');
  if (parameters.get('request_uri') !== undefined) throw new OAuthAnswer('request_uri_not_supported', 'Request objects are not supported.');
  if (parameters.get('prompt') === 'none') throw new OAuthAnswer('interaction_required', 'A person has to consent.');
  const codeChallenge = parameters.get('code_challenge') ?? '';
  if (parameters.get('code_challenge_method') !== 'S256' || !/^[\w-]{43}$/.test(codeChallenge)) {
    throw new OAuthAnswer('invalid_request', 'PKCE with S256 is required: code_challenge and code_challenge_method.');
  }
  checkResource(settings, parameters.get('resource'));
  return { codeChallenge, scopes: scopesOf(settings, parameters.get('scope')) };
}

/** @throws OAuthAnswer `invalid_target` (RFC 8707 section 2) for any other resource */
export function checkResource({ resource }: Pick<GatewaySettings, 'resource'>, requested: string | undefined): void {
  if (requested !== undefined && canonical(requested) !== canonical(resource)) {
    throw new OAuthAnswer('invalid_target', 'resource is none that this authorization server issues tokens for.');
  }
}

/** The trailing slash counts for nothing here: there is one resource, and clients differ in how they write it. */
function canonical(resource: string): string | undefined {
  try {
    return canonicalResource(resource).replace(/\/$/, '');
  } catch {
    return undefined;
  }
}

function scopesOf({ scopes: known, defaultScopes }: GatewaySettings, requested: string | undefined): readonly string[] {
  if ((requested ?? '').length > LONGEST_SCOPE_CHARACTERS) throw new OAuthAnswer('invalid_scope', 'scope is too long.');
  const scopes = requested === undefined ? defaultScopes : parseScope(requested);
  if (scopes.length > MOST_SCOPES || !scopes.every(isScopeToken)) throw new OAuthAnswer('invalid_scope', 'scope is not a list of scopes.');
  // Whoever wants a refresh token asks for offline_access, whatever the resource calls its scopes (SEP-2207).
  const isKnown = (scope: string): boolean => known === undefined || known.includes(scope) || scope === 'offline_access';
  if (!scopes.every(isKnown)) throw new OAuthAnswer('invalid_scope', 'scope holds one that is not known here.');
  return scopes;
}

async function askForConsent(
  parts: GatewayParts,
  { request, network }: { readonly request: Request; readonly network: string | undefined },
  asked: Asked,
): Promise<Response> {
  const { settings, transactions, secrets, pages, endpoints, bounds } = parts;
  const { client, redirectUri, scopes, codeChallenge, clientState } = asked;
  const formToken = randomText();
  const browserSecret = randomText();
  const begun = await transactions.begin(
    { clientId: client.clientId, redirectUri, scopes, codeChallenge },
    {
      openConsent: async ({ id }) => {
        await secrets.write(id, { clientState });
        return { browserDigest: await digestOf(browserSecret), formDigest: await digestOf(formToken) };
      },
    },
  );
  if (begun === undefined) throw new OAuthAnswer('temporarily_unavailable', 'Too many people sign in at this time.', { status: 503 });
  if (begun.step !== 'awaitingConsent')
    throw new OAuthAnswer('temporarily_unavailable', 'Nobody can sign in at this moment.', { status: 503 });
  const { id } = begun.context;
  bounds.began(network, id);
  const question = { client, redirectUri, scopes, resource: settings.name, transactionId: id, formToken, action: endpoints.consent };
  const page = await pages.consent(question, textsFor(request.headers.get('accept-language'), settings.consent.texts));
  return htmlAnswer(page.html, 200, {
    ...page.headers,
    'Set-Cookie': bindingCookie(settings.issuer, id, browserSecret, settings.limits.transactionSeconds),
  });
}

/** A page for the person: there is nowhere to send the browser by itself. */
export async function problemAnswer(
  parts: GatewayParts,
  request: Request,
  reason: string,
  o: { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly back?: SignInProblem['back'] } = {},
): Promise<Response> {
  const spoken = textsFor(request.headers.get('accept-language'), parts.settings.consent.texts);
  const page = await parts.pages.problem({ reason, back: o.back }, spoken);
  return htmlAnswer(page.html, o.status ?? 400, { ...o.headers, ...page.headers });
}

export interface ClientPlace {
  readonly redirectUri: string;
  readonly clientState: string | undefined;
}

/** Back to the client, by the redirect URI it has registered (RFC 6749 section 4.1.2). */
export function clientAnswer(
  settings: Pick<GatewaySettings, 'issuer'>,
  place: ClientPlace,
  members: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return redirectAnswer(clientUrl(settings, place, members), headers);
}

/** `iss` is always ours (RFC 9207), never the one upstream. */
function clientUrl(
  { issuer }: Pick<GatewaySettings, 'issuer'>,
  { redirectUri, clientState }: ClientPlace,
  members: Readonly<Record<string, string>>,
): string {
  const parameters = new URLSearchParams({ ...members, ...(clientState !== undefined && { state: clientState }), iss: issuer });
  // The registered text is kept as it is: a parser would write it anew.
  return `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${parameters}`;
}
