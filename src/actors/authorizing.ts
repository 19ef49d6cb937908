/** Actors of `machines/authorization-grant.ts`: from the redirect target to the tokens. */
import type { AuthorizationServer, ClientFacts, Grant } from '../../machines/contracts.ts';
import { watchedPause } from '../durable/watched-pause.ts';
import { type FailureCode, FailureError, kindOf } from '../failure.ts';
import { authorizationUrl } from '../protocol/authorization-request.ts';
import { checkAuthorizationResponse } from '../protocol/authorization-response.ts';
import { exchangeCode as sendCode } from '../protocol/code-exchange.ts';
import { createAttemptSecrets } from '../protocol/pkce.ts';
import { resourceParameter } from '../protocol/resource-parameter.ts';
import { promptFor } from '../protocol/scopes.ts';
import { serverEndpoint } from '../protocol/server-endpoint.ts';
import type { StoredCallback } from '../records/attempt-records.ts';
import type { RedirectTarget } from '../user-agents/contract.ts';
import { attemptBinding } from './attempt-binding.ts';
import { clientCredentials } from './client-credentials.ts';
import { effect } from './effect.ts';
import type { Environment } from './environment.ts';
import { issuerPolicy } from './issuer-policy.ts';
import { forgetObtained, keepTokens } from './keep-tokens.ts';
import { obtaining } from './obtaining.ts';
import { scopesToRequest } from './requested-scopes.ts';
import { isSignedOutElsewhere } from './shared-login.ts';

/** Ready before anyone is sent away (AUT-04); the registered redirect URI is tried first (REG-05). */
export const openRedirect = effect<'openRedirect'>('authorization', async (environment, { issuer, onlyRedirectUri }, signal) => {
  const { settings, registrations, deliver, open } = environment;
  const redirectUris = settings.clientMetadata.redirect_uris;
  if (settings.userAgent === undefined) return { redirectUri: onlyRedirectUri ?? (redirectUris[0] as string) };
  await open.redirect?.close();
  const registered = await registrations.find(issuer, redirectUris);
  const preferred = onlyRedirectUri ?? registered?.facts.redirectUris[0];
  const opening = settings.userAgent.open({
    redirectUris,
    ...(preferred !== undefined && { preferredRedirectUri: preferred }),
    preferredOnly: onlyRedirectUri !== undefined,
    deliver,
  });
  const redirect = await inTime(settings, opening).catch(failedAs('redirect_unavailable'));
  if (signal.aborted) {
    // The flow was cancelled meanwhile: nobody else would close it.
    await redirect.close();
    throw new FailureError('cancelled', 'authorization');
  }
  open.redirect = redirect;
  return { redirectUri: redirect.redirectUri };
});

/** Flows of other processes wait for this one: a user agent that never gets ready ends it. One that is late is closed. */
async function inTime({ clock, limits }: Environment['settings'], opening: Promise<RedirectTarget>): Promise<RedirectTarget> {
  const answered = new AbortController();
  const tooLate = clock.sleep(limits.redirectReadyMs, answered.signal).then((): never => {
    opening.then((late) => late.close()).catch(() => undefined);
    throw new FailureError('redirect_unavailable', 'authorization', { reason: 'The user agent was not ready in time.' });
  });
  try {
    return await Promise.race([opening, tooLate]);
  } finally {
    answered.abort('answered');
    tooLate.catch(() => undefined);
  }
}

export const prepareAuthorization = effect<'prepareAuthorization'>('authorization', async (environment, input) => {
  const { settings, attempts, flowKey, checkUrl, sharedMetadata } = environment;
  const { authorizationServer, client, resource } = input;
  const { issuer, metadata, hasResourceMetadata, resourceIdentifier } = authorizationServer;
  const secrets = await createAttemptSecrets(settings.random);
  const scopes = scopesToRequest(settings, input);
  const policy = issuerPolicy(settings, issuer);
  const sentResource = resourceParameter({
    // As published: the server may speak for a parent of this path (PRM-03), and tokens are for what it names.
    resource: resourceIdentifier ?? resource,
    hasResourceMetadata,
    protocolVersion: settings.protocolVersion,
    ...(policy && { policy }),
  });
  const url = authorizationUrl({
    metadata,
    clientId: client.clientId,
    redirectUri: client.redirectUri,
    state: secrets.state,
    codeChallenge: secrets.codeChallenge,
    scopes,
    resource: sentResource,
    prompt: promptFor(scopes),
    extra: settings.authorizationParameters,
  });
  // The endpoint alone: the policy is about where the user is sent, not about what is said there.
  const page = serverEndpoint(metadata, 'authorization_endpoint', 'authorization');
  await checkUrl(page, { phase: 'authorization', purpose: 'authorization' });
  const grant: Grant = {
    attemptId: crypto.randomUUID(),
    authorizationUrl: url,
    redirectUri: client.redirectUri,
    issuer,
    requestedScopes: scopes ?? [],
    ...(sentResource !== undefined && { resourceParameter: sentResource }),
    deadlineEpochMs: settings.clock.now() + settings.limits.userDeadlineMs,
  };
  const boundTo = await attemptBinding(flowKey, { authorizationServer, client, grant });
  // Before the checkpoint of the attempt, which names it.
  await sharedMetadata.keep(metadata, grant.deadlineEpochMs + settings.limits.userDeadlineMs);
  await attempts.open(grant.attemptId, secrets, { flowKey, deadlineEpochMs: grant.deadlineEpochMs, boundTo });
  return { grant };
});

/** A person, or another process, may act on the URL as soon as the status shows it: by then the store knows the attempt (ISS-08, RES-06). */
export const recordAttempt = effect<'recordAttempt'>('authorization', () => undefined);

export const presentAuthorization = effect<'presentAuthorization'>(
  'authorization',
  async (environment, { grant, isShown }, signal) => {
    const { authorizationUrl, issuer } = grant;
    const presented = environment.open.redirect?.present({ authorizationUrl, issuer, isShown, signal });
    if (presented === undefined) return;
    // A user agent may take for ever: neither the callback nor the deadline waits for it.
    await untilAnswered(environment, grant, signal, presented.catch(failedAs('user_agent_failed')));
  },
  { isRecorded: true },
);

/** A user agent is the embedder's: what it throws has no name of ours, and may say anything. */
const failedAs =
  (code: FailureCode) =>
  (thrown: unknown): never => {
    if (thrown instanceof FailureError) throw thrown;
    throw new FailureError(code, 'authorization', { reason: `(${kindOf(thrown)})` });
  };

const POLL_MS = 500;

/**
 * Until the deadline, an absolute instant that holds across restarts (AUT-07, RES-05). A callback that
 * reached this process says so by an event; one that reached another is found in the store (RES-06).
 */
export const awaitCallback = effect<'awaitCallback'>(
  'authorization',
  (environment, { grant }, signal) => untilAnswered(environment, grant, signal),
  { isRecorded: true },
);

/** How the user's turn ends; or what `work` comes to, if that is sooner. */
async function untilAnswered<Result = never>(
  { settings, attempts, vault }: Environment,
  { attemptId, deadlineEpochMs }: Grant,
  signal: AbortSignal,
  work?: Promise<Result>,
): Promise<Result | { readonly outcome: 'arrived' | 'unanswered' }> {
  const { clock } = settings;
  const answered = new AbortController();
  const done = AbortSignal.any([answered.signal, signal]);
  const deadline = clock.sleep(deadlineEpochMs - clock.now(), done).then(() => ({ outcome: 'unanswered' }) as const);
  const arrival = async (): Promise<{ readonly outcome: 'arrived' }> => {
    // Its acceptance is written a moment after it; a process that died in between will not write it any more.
    for (let seen = 0; seen < 2; ) {
      const callback = await attempts.hasCallback(attemptId).catch(() => undefined);
      if (callback === 'accepted') break;
      seen = callback === 'stored' ? seen + 1 : 0;
      await watchedPause({ store: vault, clock }, { keys: [attempts.callbackKey(attemptId)], durationMs: POLL_MS, background: true }, done);
    }
    return { outcome: 'arrived' };
  };
  const arrived = settings.store === undefined ? undefined : arrival();
  try {
    return await Promise.race([deadline, arrived, work].filter((one) => one !== undefined));
  } finally {
    answered.abort('answered');
    for (const one of [deadline, arrived, work]) one?.catch(() => undefined);
  }
}

export const checkCallback = effect<'checkCallback'>('authorization', async (environment, { grant, authorizationServer, client }) => {
  if (grant.issuer !== authorizationServer.issuer) {
    throw new FailureError('issuer_changed', 'authorization', { expected: grant.issuer, received: authorizationServer.issuer });
  }
  const stored = await environment.attempts.readCallback(grant.attemptId);
  if (stored === undefined) throw new FailureError('callback_not_expected', 'authorization', { issuer: grant.issuer });
  checked(environment, stored, { authorizationServer, client });
});

/** Throws what is wrong with the callback; what may be sent on, otherwise. */
function checked(
  { settings }: Environment,
  { callbackUrl, state }: StoredCallback,
  { authorizationServer, client }: { readonly authorizationServer: AuthorizationServer; readonly client: ClientFacts },
): ReturnType<typeof checkAuthorizationResponse> {
  return checkAuthorizationResponse({
    callbackUrl,
    metadata: authorizationServer.metadata,
    clientId: client.clientId,
    expectedState: state,
    requireIssuer: settings.requireCallbackIssuer,
  });
}

/** From the moment it is marked as sent, the code is the login: a client that is closed leaves it to its end, a flow that is cancelled gives it up. */
export const exchangeCode = effect<'exchangeCode'>('token', (environment, { grant, authorizationServer, client }, signal) =>
  obtaining(environment, async (givenUp) => {
    const { attempts, http } = environment;
    // Another flow may have registered anew meanwhile, for other scopes: a public client is as good as before.
    const known = { clientId: client.clientId, publicClient: client.authMethod === 'none' };
    const credentials = await clientCredentials(environment, authorizationServer, known);
    if (credentials === undefined) {
      throw new FailureError('credentials_missing', 'token', { issuer: grant.issuer, reason: 'The registration is gone.' });
    }
    // The flow has ended before the code was touched: whoever goes on with the login sends it.
    if (signal.aborted) throw new FailureError('cancelled', 'token');
    // Taken before it is sent: of all processes, exactly one ever posts this code (AUT-09, RES-08).
    const taken = await attempts.takeCallback(grant.attemptId);
    if (taken === undefined) {
      throw new FailureError('flow_taken_over', 'token', { issuer: grant.issuer, reason: 'The code was sent there; it is used once.' });
    }
    const { validated } = checked(environment, taken, { authorizationServer, client });
    const tokens = await sendCode(http, {
      metadata: authorizationServer.metadata,
      client: credentials,
      validated,
      redirectUri: grant.redirectUri,
      verifier: taken.verifier,
      resource: grant.resourceParameter,
      signal: givenUp,
    });
    // Signed out in another process while the code was on its way: nobody wants these tokens any more (OUT-02).
    const signedOut = new FailureError('signed_out', 'sign-out', { issuer: grant.issuer });
    if (await isSignedOutElsewhere(environment, grant.attemptId)) throw signedOut;
    const obtained = await keepTokens(environment, tokens, {
      issuer: grant.issuer,
      client: credentials,
      requestedScopes: grant.requestedScopes,
      resourceParameter: grant.resourceParameter,
      scopesIfOmitted: grant.requestedScopes,
      signal,
    });
    // Or while they were being stored: the other forgets what is there before it says so, and we what came after.
    if (!(await isSignedOutElsewhere(environment, grant.attemptId))) return obtained;
    await forgetObtained(environment, obtained.token);
    throw signedOut;
  }),
);
