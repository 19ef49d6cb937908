/** The token endpoint (RFC 6749 section 3.2): a code or a refresh token for tokens of the gateway's own (GWY-08). */
import { FailureError } from '../../failure.ts';
import { constantTimeEqual } from '../../protocol/constant-time-equal.ts';
import { parseScope } from '../../protocol/scopes.ts';
import { checkResource } from './authorize-endpoint.ts';
import { provenClient } from './client-proof.ts';
import type { GatewayClient } from './client-registration.ts';
import type { GatewayParts } from './gateway-parts.ts';
import type { Grant } from './grant-records.ts';
import { jsonAnswer, OAuthAnswer } from './oauth-answers.ts';
import { digestOf } from './random-text.ts';
import { formOf, type Parameters } from './request-parameters.ts';

export async function token(parts: GatewayParts, request: Request, network: string | undefined): Promise<Response> {
  const form = await formOf(request, parts.settings.limits.requestBytes);
  const client = await provenClient(parts, { request, network }, form);
  checkResource(parts.settings, form.get('resource'));
  switch (form.get('grant_type')) {
    case 'authorization_code':
      return redeemCode(parts, client, form);
    case 'refresh_token':
      return refresh(parts, client, form);
    default:
      throw new OAuthAnswer('unsupported_grant_type', 'grant_type has to be authorization_code or refresh_token.');
  }
}

/** Where a code that was presented twice leads. */
const REPLAYED: ReadonlySet<string> = new Set(['revoking', 'revocationPending', 'replayed']);

async function redeemCode(parts: GatewayParts, client: GatewayClient, form: Parameters): Promise<Response> {
  const { transactions, grants, grantsToEnd, settings } = parts;
  const code = form.get('code') ?? '';
  const id = code.slice(0, Math.max(0, code.lastIndexOf('.')));
  const found = await transactions.read(id);
  const issued = found?.context.code;
  // Whoever cannot show all that belongs to the code has it from elsewhere: nothing is changed for its owner.
  if (found === undefined || issued === undefined || !(await isProven(found.context.request, issued.digest, client, form)))
    throw invalidCode();
  const isLate = found.step === 'codeIssued' && settings.clock.now() >= issued.deadlineEpochMs;
  const sent = await transactions.send(
    id,
    { type: isLate ? 'deadline.passed' : 'code.presented' },
    { endGrant: ({ grantId }) => grants.end(grantId) },
  );
  const step = sent?.state.step ?? '';
  if (REPLAYED.has(step)) settings.log('warn', 'gateway.code-replayed', { clientId: client.clientId });
  if (sent !== undefined && grantsToEnd.endsLater(sent.state)) throw notEnded();
  if (sent?.isTaken !== true || step !== 'redeemed') throw invalidCode();
  const grant = await grants.redeem(issued.grantId);
  if (grant === undefined) throw invalidCode();
  await stillInUse(parts, client);
  return issue(parts, grant, grant.scopes);
}

/** Code or refresh token are spent by now: a store with a bad moment must not cost the client its tokens. */
async function stillInUse({ registration, settings }: GatewayParts, { clientId }: GatewayClient): Promise<void> {
  await registration.keep(clientId).catch(() => settings.log('warn', 'gateway.registration-not-kept', { clientId }));
}

/** The code itself, its client, its redirect URI and its PKCE verifier. */
async function isProven(
  asked: { readonly clientId: string; readonly redirectUri: string; readonly codeChallenge: string },
  digest: string,
  client: GatewayClient,
  form: Parameters,
): Promise<boolean> {
  const verifier = form.get('code_verifier') ?? '';
  const redirectUri = form.get('redirect_uri');
  return (
    constantTimeEqual(await digestOf(form.get('code') ?? ''), digest) &&
    asked.clientId === client.clientId &&
    // OAuth 2.1 has no redirect_uri here; where one is sent, it is the one of the request.
    (redirectUri === undefined || redirectUri === asked.redirectUri) &&
    /^[\w.~-]{43,128}$/.test(verifier) &&
    constantTimeEqual(await digestOf(verifier), asked.codeChallenge)
  );
}

async function refresh(parts: GatewayParts, client: GatewayClient, form: Parameters): Promise<Response> {
  const { grants, refreshTokens, settings } = parts;
  const facts = await refreshTokens.read(form.get('refresh_token') ?? '');
  if (facts === undefined || facts.clientId !== client.clientId) throw invalidRefresh();
  const before = await grants.read(facts.grantId);
  if (before === undefined) throw invalidRefresh();
  const scopes = narrowed(before.scopes, form.get('scope'));
  // Before the rotation: while the identity provider is down, the client may come again with the same refresh token.
  if (settings.format === 'upstream' || before.upstream.expiresAtEpochMs === undefined) await renew(parts, before);
  const rotation = await grants.rotate(facts.grantId, facts.generation);
  if (rotation.outcome === 'reused') {
    settings.log('warn', 'gateway.refresh-token-reused', { clientId: client.clientId });
    await grants.end(facts.grantId);
  }
  if (rotation.outcome !== 'rotated') throw invalidRefresh();
  await stillInUse(parts, client);
  return issue(parts, rotation.grant, scopes);
}

/** @throws OAuthAnswer `invalid_scope` for more than was granted (RFC 6749 section 6) */
function narrowed(granted: readonly string[], requested: string | undefined): readonly string[] {
  if (requested === undefined) return granted;
  const scopes = parseScope(requested);
  if (!scopes.every((scope) => granted.includes(scope))) throw new OAuthAnswer('invalid_scope', 'scope holds more than was granted.');
  return scopes;
}

async function issue({ settings, accessTokens, refreshTokens }: GatewayParts, grant: Grant, scopes: readonly string[]): Promise<Response> {
  const { refreshToken, expiresAtEpochMs } = grant.upstream;
  const leftSeconds = expiresAtEpochMs === undefined ? undefined : Math.floor((expiresAtEpochMs - settings.clock.now()) / 1000);
  // What cannot be renewed upstream cannot be renewed here, and lasts no longer.
  const canRenew = refreshToken !== undefined || leftSeconds === undefined;
  const ownSeconds = canRenew ? settings.seconds.access : Math.min(settings.seconds.access, leftSeconds ?? 0);
  const lifetimeSeconds = settings.format === 'upstream' ? leftSeconds : ownSeconds;
  if (lifetimeSeconds !== undefined && lifetimeSeconds < 1) throw invalidRefresh();
  return jsonAnswer({
    access_token: await accessTokens.issue(grant, scopes, ownSeconds),
    token_type: 'Bearer',
    ...(lifetimeSeconds !== undefined && { expires_in: lifetimeSeconds }),
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    ...(canRenew && {
      refresh_token: await refreshTokens.issue({ grantId: grant.grantId, generation: grant.generation, clientId: grant.clientId }),
    }),
  });
}

/**
 * Where clients hold upstream tokens, a refresh has to bring a fresh one. Where nobody told how long a token lasts, there is no
 * better moment to renew it than when its client does: it may have ended without a word.
 *
 * @throws OAuthAnswer `invalid_grant` at its end
 */
async function renew({ grants, settings }: GatewayParts, grant: Grant): Promise<void> {
  try {
    await grants.upstreamToken(grant, new AbortController().signal, 'fresh');
  } catch (thrown) {
    if (!(thrown instanceof FailureError)) throw thrown;
    if (thrown.failure.code === 'refresh_rejected') throw invalidRefresh();
    // Tokens of our own are good all the same, and the upstream token may be.
    if (settings.format === 'upstream' || !thrown.failure.retryable) throw thrown;
  }
}

function invalidCode(): OAuthAnswer {
  return new OAuthAnswer('invalid_grant', 'The code is not valid, or no longer, or for another client, redirect URI or verifier.');
}

/** Whoever comes again helps to end it. */
function notEnded(): OAuthAnswer {
  const headers = { 'Retry-After': '5' };
  return new OAuthAnswer('temporarily_unavailable', 'The request cannot be served now.', { status: 503, headers });
}

function invalidRefresh(): OAuthAnswer {
  return new OAuthAnswer('invalid_grant', 'The refresh token is not valid, or no longer, or for another client.');
}
