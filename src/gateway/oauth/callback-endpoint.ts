/** Where the person comes back from upstream: success and error alike only in the browser that left (GWY-06, GWY-07). */
import { FailureError } from '../../failure.ts';
import { constantTimeEqual } from '../../protocol/constant-time-equal.ts';
import { grantedScopes } from '../../protocol/scopes.ts';
import { clientAnswer, problemAnswer } from './authorize-endpoint.ts';
import { isBoundBrowser, noBindingCookie } from './browser-binding.ts';
import { logEnded } from './ended-transactions.ts';
import type { GatewayParts } from './gateway-parts.ts';
import { digestOf, randomText } from './random-text.ts';
import { parametersOf } from './request-parameters.ts';
import { type TransactionEffects, type Transactions, transactionFailureOf } from './transactions.ts';
import type { UpstreamAttempt } from './upstream.ts';

export async function callback(parts: GatewayParts, request: Request, network: string | undefined): Promise<Response> {
  const { settings, transactions, secrets, upstream, endpoints } = parts;
  if (request.url.length > settings.limits.requestBytes) return problemAnswer(parts, request, 'The request is too long.', { status: 414 });
  const { search, searchParams } = new URL(request.url);
  const state = parametersOf(searchParams).get('state') ?? '';
  const id = state.slice(0, Math.max(0, state.lastIndexOf('.')));
  const found = await transactions.read(id);
  if (found === undefined) return problemAnswer(parts, request, 'It has ended, or took too long.');
  const { context } = found;
  // The browser first: in another one nothing is learned, and nothing is changed.
  if (!(await isBoundBrowser(request, settings.issuer, context))) {
    return problemAnswer(parts, request, 'It was begun in another browser, or has ended.', { status: 403 });
  }
  const { clientState, attempt } = await secrets.read(id);
  const isOurs = constantTimeEqual(await digestOf(state), context.stateDigest ?? '');
  if (found.step !== 'sentUpstream' || attempt === undefined || !isOurs)
    return problemAnswer(parts, request, 'Nothing is waiting for this answer.');
  if (settings.clock.now() >= context.deadlineEpochMs) {
    await transactions.send(id, { type: 'deadline.passed' }, {});
    return problemAnswer(parts, request, 'It took too long.');
  }

  // Where it really came to is for a proxy to know: what counts is what was configured.
  const callbackUrl = `${endpoints.callback}${search}`;
  const way: WayBack = {};
  const failure = await upstream.checkResponse(callbackUrl, attempt.state).then(() => undefined, transactionFailureOf);
  const event = failure === undefined ? ({ type: 'callback.arrived' } as const) : ({ type: 'callback.failed', failure } as const);
  const exchanging = { exchangeUpstream: exchangeUpstream(parts, callbackUrl, attempt, way) };
  const sent = await orEnded(way, () => transactions.send(id, event, exchanging));
  if (sent?.isTaken !== true) return problemAnswer(parts, request, 'It was answered already.');
  parts.bounds.ended(network, id);
  const place = { redirectUri: context.request.redirectUri, clientState };
  const cookie = { 'Set-Cookie': noBindingCookie(settings.issuer, id) };
  if (sent.state.step === 'codeIssued' && way.code !== undefined) {
    parts.grantsToEnd.note(id, sent.state.context.code?.deadlineEpochMs ?? 0);
    return clientAnswer(settings, place, { code: way.code }, cookie);
  }
  const ended = sent.state.context.failure;
  logEnded(settings, sent.state);
  return clientAnswer(settings, place, { error: ended?.error ?? 'server_error' }, cookie);
}

/** What comes of the exchange beside the chart. */
interface WayBack {
  code?: string;
  /** Ends the grant behind the code. */
  endGrant?: () => Promise<void>;
}

type Sent = Awaited<ReturnType<Transactions['send']>>;

/** A code that could not be noted can never be redeemed: nobody else would end the grant behind it. */
async function orEnded(way: WayBack, send: () => Promise<Sent>): Promise<Sent> {
  let sent: Sent;
  try {
    sent = await send();
    return sent;
  } finally {
    if (sent?.isTaken !== true || sent.state.step !== 'codeIssued') await way.endGrant?.();
  }
}

/** Scopes that are about the sign-in (OpenID Connect Core 5.4, 11): identity providers often do not repeat them, or call them otherwise. */
const UNTOLD_SCOPES: ReadonlySet<string> = new Set(['openid', 'offline_access', 'profile', 'email', 'address', 'phone']);

/** The upstream tokens are sealed in a grant before the client learns of a code. */
function exchangeUpstream(
  { settings, upstream, grants }: GatewayParts,
  callbackUrl: string,
  attempt: UpstreamAttempt,
  way: WayBack,
): NonNullable<TransactionEffects['exchangeUpstream']> {
  return async ({ id, request }) => {
    const tokens = await upstream.exchange(callbackUrl, attempt, request.scopes);
    const granted = grantedScopes(tokens.scopes, request.scopes);
    const missing = request.scopes.filter((scope) => !granted.includes(scope) && !UNTOLD_SCOPES.has(scope));
    if (missing.length > 0) settings.log('warn', 'gateway.scopes-not-granted', { missing });
    const scopes = request.scopes.filter((scope) => !missing.includes(scope));
    const opening = isOfUse(scopes, missing) ? grants.open({ clientId: request.clientId, scopes, tokens }) : Promise.reject(noScopes());
    const grantId = await opening.catch(async (thrown: unknown) => {
      // Nobody could use or end them any more.
      await upstream.end(tokens);
      throw thrown;
    });
    // Where the store does not let it be found, the tokens are ended all the same.
    way.endGrant = () => grants.end(grantId).catch(() => upstream.end(tokens));
    const code = `${id}.${randomText()}`;
    way.code = code;
    const deadlineEpochMs = settings.clock.now() + settings.limits.codeSeconds * 1000;
    return { code: { digest: await digestOf(code), deadlineEpochMs, grantId } };
  };
}

/**
 * Nothing of what was asked for: without a word of it the client would believe that it has all (RFC 6749 section 5.1),
 * be refused at the resource, and ask for the same again.
 */
function isOfUse(scopes: readonly string[], missing: readonly string[]): boolean {
  return missing.length === 0 || scopes.some((scope) => !UNTOLD_SCOPES.has(scope));
}

const noScopes = (): FailureError =>
  new FailureError('scope_not_granted', 'authorization', { reason: 'The identity provider granted none of them.' });
