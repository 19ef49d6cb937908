/**
 * Token responses as real servers send them, made into what RFC 6749 sections 5.1
 * and 5.2 describe, so that oauth4webapi can stay strict (TOK-02). Every leniency
 * of the token endpoint stands in this file, each with who needs it.
 *
 * What is not mended here is refused later: an access token that is missing, empty
 * or not a string, a token type nobody knows, a body that is not JSON.
 *
 * `id_token` is left out on purpose. authchart asks for access to a resource and
 * never for who the user is, so an ID token has no reader; to check one would take
 * keys and algorithms that the flow does not fetch, and a server with a fault in
 * its ID tokens would then refuse access that it has just granted.
 */

type Members = Readonly<Record<string, unknown>>;

/**
 * A new response with the same meaning: 200 with the members of RFC 6749 section
 * 5.1, or a 4xx with those of section 5.2. What says neither keeps body and status.
 */
export async function normaliseTokenResponse(response: Response): Promise<Response> {
  const text = await response.text();
  const members = membersIn(text, response.headers.get('content-type') ?? '');
  if (members === undefined) return new Response(bodyAllowed(response.status) ? text : null, response);
  const error = errorIn(members);
  if (error !== undefined) return json(error, errorStatus(response.status));
  if (response.ok) return json(success(members), 200);
  return json(members, response.status, response.headers.get('www-authenticate'));
}

/**
 * The members of the body. The content type is not asked: several servers send
 * JSON as `text/html` or `text/plain`. A form is read only where it calls itself
 * one: GitHub sends it to who does not insist on JSON.
 */
function membersIn(text: string, contentType: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    if (!/^application\/x-www-form-urlencoded\b/i.test(contentType)) return undefined;
    return Object.fromEntries(new URLSearchParams(text));
  }
}

/**
 * An `error` member is an error at any status: GitHub and Slack answer 200 with
 * it. `null`, an empty text and `false` are how other servers write that there is
 * none. An object instead of a code comes from gateways (Google, Facebook).
 */
function errorIn(members: Members): Members | undefined {
  const { error } = members;
  if (!error) return undefined;
  if (typeof error === 'string') {
    const description = members.error_description;
    return { error, ...(typeof description === 'string' && { error_description: description }) };
  }
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  return {
    error: typeof code === 'string' && code !== '' ? code : 'unspecified_error',
    ...(typeof message === 'string' && { error_description: message }),
  };
}

/** oauth4webapi reads error bodies of 4xx only; an outage stays one. */
function errorStatus(status: number): number {
  return status >= 400 ? status : 400;
}

/**
 * Any 2xx is a success (Supabase and Harvest send 201), and only the members in
 * use are kept, `null` ones being absent (EVE Online, Auth0, and every serialiser
 * that writes out all it knows).
 */
function success(answer: Members): Members {
  const members = slackUser(answer);
  return withoutAbsent({
    access_token: members.access_token,
    token_type: tokenType(members),
    expires_in: lifetimeSeconds(members.expires_in),
    refresh_token: members.refresh_token === '' ? undefined : members.refresh_token,
    scope: scope(members.scope),
  });
}

/** Slack puts a token that acts for the user only into `authed_user`, beside the `ok` of all its answers. */
function slackUser(members: Members): Members {
  const { ok, access_token: token, authed_user: user } = members;
  return ok === true && !token && typeof user === 'object' && user !== null ? { ok, ...user } : members;
}

/**
 * Missing (Slack's first endpoint, many hand-made servers) means Bearer, since
 * nothing else was asked for. Slack calls its bearer tokens by who they act for.
 */
function tokenType(members: Members): unknown {
  const { token_type: type, ok } = members;
  if (type === undefined || type === null || type === '') return 'Bearer';
  if (typeof type !== 'string') return type;
  const known = type.trim().toLowerCase();
  return ok === true && (known === 'user' || known === 'bot') ? 'Bearer' : known;
}

/**
 * A text is a number to Microsoft Entra ID v1 and Facebook. What is no number, or
 * not above zero, says nothing: a token is not issued dead, so those who send 0
 * mean that it does not end, and the 401 of the resource will tell if it did.
 */
function lifetimeSeconds(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return undefined;
  return seconds >= 1 ? Math.floor(seconds) : undefined;
}

/**
 * Scopes between commas (GitHub, Slack) or in a list (Twitch). An empty one says
 * nothing: servers write it where they do not track scopes, and taking it for a
 * grant of nothing would ask the user again at once.
 */
function scope(value: unknown): unknown {
  const list = Array.isArray(value) ? value.join(' ') : value;
  if (typeof list !== 'string') return list;
  const spaced = (/\s/.test(list) ? list : list.replaceAll(',', ' ')).trim();
  return spaced === '' ? undefined : spaced;
}

function withoutAbsent(members: Members): Members {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null));
}

function json(members: Members, status: number, challenge: string | null = null): Response {
  const headers = new Headers({ 'content-type': 'application/json' });
  // Only where the body says nothing: oauth4webapi would prefer the header's word to the body's.
  if (challenge !== null) headers.set('www-authenticate', challenge);
  return new Response(JSON.stringify(members), { status, headers });
}

/** `Response` takes no body, not even an empty one, beside these. */
function bodyAllowed(status: number): boolean {
  return status !== 204 && status !== 205 && status !== 304;
}
