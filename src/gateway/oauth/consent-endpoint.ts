/** What the person decided on the consent page, and the way upstream (GWY-06, GWY-07). */
import { constantTimeEqual } from '../../protocol/constant-time-equal.ts';
import { createAttemptSecrets } from '../../protocol/pkce.ts';
import { clientAnswer, problemAnswer } from './authorize-endpoint.ts';
import { bindingCookie, isBoundBrowser, noBindingCookie } from './browser-binding.ts';
import { logEnded } from './ended-transactions.ts';
import type { GatewayParts } from './gateway-parts.ts';
import { redirectAnswer } from './oauth-answers.ts';
import { digestOf, randomText } from './random-text.ts';
import { formOf } from './request-parameters.ts';
import type { TransactionEffects, TransactionState } from './transactions.ts';

export async function consent(parts: GatewayParts, request: Request, network: string | undefined): Promise<Response> {
  const { settings, transactions, secrets } = parts;
  const form = await formOf(request, settings.limits.requestBytes);
  const id = form.get('transaction') ?? '';
  const state = await transactions.read(id);
  if (state === undefined) return problemAnswer(parts, request, 'It has ended, or took too long.');
  if (
    isFromElsewhere(request, settings.issuer) ||
    !(await isAnswerOf(state, { request, issuer: settings.issuer }, form.get('form_token')))
  ) {
    return problemAnswer(parts, request, 'It was begun in another browser, or by another page.', { status: 403 });
  }
  if (settings.clock.now() >= state.context.deadlineEpochMs) {
    await transactions.send(id, { type: 'deadline.passed' }, {});
    return problemAnswer(parts, request, 'It took too long.');
  }
  const clientState = (await secrets.read(id)).clientState;
  const way: { url?: string; cookie?: string } = {};
  const choice = form.get('choice');
  if (choice !== 'allow' && choice !== 'refuse') return problemAnswer(parts, request, 'Nothing was chosen.');
  const event = { type: choice === 'allow' ? 'consent.given' : 'consent.refused' } as const;
  const sent = await transactions.send(id, event, { prepareUpstream: prepareUpstream(parts, clientState, way) });
  if (sent?.isTaken !== true) return problemAnswer(parts, request, 'It was answered already.');
  if (sent.state.step === 'sentUpstream' && way.url !== undefined) return redirectAnswer(way.url, { 'Set-Cookie': way.cookie ?? '' });
  parts.bounds.ended(network, id);
  const { request: asked, failure } = sent.state.context;
  logEnded(settings, sent.state);
  return clientAnswer(
    settings,
    { redirectUri: asked.redirectUri, clientState },
    { error: failure?.error ?? 'server_error' },
    { 'Set-Cookie': noBindingCookie(settings.issuer, id) },
  );
}

/** Browsers say where a form comes from; what says nothing is judged by cookie and token alone. */
function isFromElsewhere(request: Request, issuer: string): boolean {
  const site = request.headers.get('sec-fetch-site');
  const origin = request.headers.get('origin');
  return (site !== null && site !== 'same-origin') || (origin !== null && origin !== new URL(issuer).origin);
}

async function isAnswerOf(
  { step, context }: TransactionState,
  { request, issuer }: { readonly request: Request; readonly issuer: string },
  formToken: string | undefined,
): Promise<boolean> {
  if (!(await isBoundBrowser(request, issuer, context))) return false;
  // After consent there is no form any more; the chart says that it was answered.
  if (step !== 'awaitingConsent') return true;
  return constantTimeEqual(await digestOf(formToken ?? ''), context.formDigest ?? '');
}

/** Only now there is a `state` for upstream, and a new cookie for the way back: whoever has seen the page before has neither. */
function prepareUpstream(
  { settings, secrets, upstream }: GatewayParts,
  clientState: string | undefined,
  way: { url?: string; cookie?: string },
): NonNullable<TransactionEffects['prepareUpstream']> {
  return async ({ id, request }) => {
    const { verifier, codeChallenge, state: random } = await createAttemptSecrets();
    const state = `${id}.${random}`;
    const nonce = randomText();
    const browserSecret = randomText();
    way.url = await upstream.authorizationUrl({ state, nonce, codeChallenge }, request.scopes);
    way.cookie = bindingCookie(settings.issuer, id, browserSecret, settings.limits.transactionSeconds);
    await secrets.write(id, { clientState, attempt: { verifier, nonce, state } });
    return { browserDigest: await digestOf(browserSecret), stateDigest: await digestOf(state) };
  };
}
