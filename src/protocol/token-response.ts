/**
 * Token responses: RFC 6749 sections 5.1 and 5.2, read as real servers send them
 * (TOK-02). Every leniency of the token endpoint stands in this file, each with who
 * needs it; whatever else is odd is refused.
 *
 * Read here and not by oauth4webapi: it is strict where servers are not, so that
 * every response had to be written anew for it, and its reader brings along the
 * checks of ID tokens, which are the larger half of it.
 *
 * `id_token` is left out on purpose. authchart asks for access to a resource and
 * never for who the user is, so an ID token has no reader; to check one would take
 * keys and algorithms that the flow does not fetch, and a server with a fault in
 * its ID tokens would then refuse access that it has just granted.
 */
import { parseChallenges } from './challenge.ts';
import type { IssuedTokens } from './documents.ts';
import { isScopeToken } from './scope-token.ts';
import { parseScope } from './scopes.ts';

/** What a token endpoint answered. */
export type TokenAnswer =
  | { readonly outcome: 'issued'; readonly tokens: IssuedTokens }
  /** An OAuth error, in the server's words: not sanitised yet. */
  | { readonly outcome: 'error'; readonly error: string; readonly description?: unknown }
  /** Neither; what is wrong with it, in words of ours. */
  | { readonly outcome: 'unusable'; readonly reason: string };

type Members = Readonly<Record<string, unknown>>;

/** Reads the body to its end; throws only if that fails. */
export async function readTokenResponse(response: Response): Promise<TokenAnswer> {
  const members = membersIn(await response.text(), response.headers.get('content-type') ?? '');
  const error = errorIn(members) ?? (response.ok ? undefined : challengedError(response.headers));
  if (error !== undefined) return error;
  // Any 2xx is a success: Supabase and Harvest send 201.
  if (!response.ok) return unusable(`Its status is ${response.status} and it holds no OAuth error.`);
  return members === undefined ? unusable('Its body is not a JSON object.') : tokensIn(slackUser(members));
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
function errorIn(members: Members | undefined): TokenAnswer | undefined {
  const error = members?.error;
  if (!error) return undefined;
  if (typeof error === 'string') return { outcome: 'error', error, description: members?.error_description };
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  return { outcome: 'error', error: typeof code === 'string' && code !== '' ? code : 'unspecified_error', description: message };
}

/** RFC 6749 section 5.2 has a challenge beside the body of a 401; some servers say it nowhere else (TOK-03). */
function challengedError(headers: Headers): TokenAnswer | undefined {
  for (const { parameters } of parseChallenges(headers.get('www-authenticate') ?? '')) {
    const error = parameters.get('error');
    if (error) return { outcome: 'error', error, description: parameters.get('error_description') };
  }
  return undefined;
}

/**
 * `null` members count as absent throughout: EVE Online, Auth0 and every serialiser
 * that writes out all it knows send them.
 */
function tokensIn(members: Members): TokenAnswer {
  const { access_token: accessToken } = members;
  const refreshToken = members.refresh_token || undefined;
  const scopes = scopesIn(members.scope);
  const expiresInSeconds = lifetimeSeconds(members.expires_in);
  if (typeof accessToken !== 'string' || accessToken === '') return unusable('Its access_token is missing, empty or not a text.');
  // Anything else cannot stand in a header: every request would fail with an error that quotes the token.
  if (!/^[\x21-\x7e]+$/.test(accessToken)) return unusable('Its access_token holds characters that no header can carry.');
  if (refreshToken !== undefined && typeof refreshToken !== 'string') return unusable('Its refresh_token is not a text.');
  const type = tokenType(members);
  // No proof was sent, so the resource would refuse this token.
  if (type === 'dpop') return unusable('Its access_token is bound to a key (DPoP), though no key was shown.');
  if (type !== 'bearer') return unusable('Its token_type is unknown.');
  return {
    outcome: 'issued',
    tokens: {
      accessToken,
      tokenType: 'Bearer',
      ...(refreshToken !== undefined && { refreshToken }),
      ...(scopes !== undefined && { scopes }),
      ...(expiresInSeconds !== undefined && { expiresInSeconds }),
    },
  };
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
function tokenType({ token_type: type, ok }: Members): string | undefined {
  if (type === undefined || type === null || type === '') return 'bearer';
  if (typeof type !== 'string') return undefined;
  const known = type.trim().toLowerCase();
  return ok === true && (known === 'user' || known === 'bot') ? 'bearer' : known;
}

/** A hundred years: what some servers mean by "for ever" lies beyond the dates there are. */
const LONGEST_LIFETIME_SECONDS = 100 * 365 * 24 * 3_600;

/**
 * A text is a number to Microsoft Entra ID v1 and Facebook. What is no number, or
 * not above zero, says nothing: a token is not issued dead, so those who send 0
 * mean that it does not end, and the 401 of the resource will tell if it did.
 */
function lifetimeSeconds(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return undefined;
  return seconds >= 1 ? Math.min(Math.floor(seconds), LONGEST_LIFETIME_SECONDS) : undefined;
}

/**
 * Scopes between commas (GitHub, Slack) or in a list (Twitch). An empty one says
 * nothing: servers write it where they do not track scopes, and taking it for a
 * grant of nothing would ask the user again at once. Nor does one of another kind.
 * What RFC 6749 section 3.3 allows in no scope is none, and would reach the status (TOK-04).
 */
function scopesIn(value: unknown): readonly string[] | undefined {
  const list = Array.isArray(value) ? value.join(' ') : value;
  if (typeof list !== 'string') return undefined;
  const scopes = parseScope(/\s/.test(list.trim()) ? list : list.replaceAll(',', ' ')).filter(isScopeToken);
  return scopes.length > 0 ? scopes : undefined;
}

function unusable(reason: string): TokenAnswer {
  return { outcome: 'unusable', reason };
}
