/**
 * Puts validation of bearer tokens in front of a handler, and gives every request a
 * backend client of its own (GWY-09, GWY-11, GWY-12, GWY-13).
 */
import { systemClock } from '../clock.ts';
import { kindOf } from '../failure.ts';
import { throwProblems } from '../misconfigured.ts';
import { canonicalResource } from '../protocol/resource-identifier.ts';
import { isScopeToken } from '../protocol/scope-token.ts';
import { missingScopes, scopeUnion } from '../protocol/scopes.ts';
import { resourceMetadataUrls } from '../protocol/well-known.ts';
import { admission, type Refused } from './admission.ts';
import {
  backendUnavailable,
  credentialsMissing,
  handlerFailed,
  originRefused,
  scopeInsufficient,
  tokenInvalid,
  validationUnavailable,
} from './bearer-answers.ts';
import { bearerCredentials } from './bearer-credentials.ts';
import { withBodyEnd, withoutBody } from './body-end.ts';
import { type ClientClosing, clientClosing, closerOf } from './client-closing.ts';
import { mayBeForeignPage } from './cross-origin.ts';
import { withCaller } from './current-caller.ts';
import { gatewayLog } from './gateway-log.ts';
import { type InsufficientScope, isInsufficientScope } from './insufficient-scope.ts';
import type { ProtectedCall, ProtectedHandler, ProtectOptions, ProtectOptionsWithoutClient, RequestPlatform } from './protect-options.ts';
import { problemsOfProtection } from './protect-problems.ts';
import { isTokenRejected, isValidatorUnavailable } from './token-validator.ts';
import { isWaitingStream, type TokenEnd, tokenEnd } from './waiting-streams.ts';

/** They go into a header. */
const scopesOf = ({ scopes }: InsufficientScope): readonly string[] => scopes.filter(isScopeToken);

/** How long a handler whose caller went away may go on with its client. */
const ABANDONED_GRACE_MS = 5_000;

const NOTHING_TO_CLOSE: ClientClosing = { end: () => {}, closed: Promise.resolve() };

/**
 * The handler, behind a bearer token.
 *
 * | the request | the answer |
 * |---|---|
 * | has no `Authorization` header | the handler's, with `fallbackClient`, and 403 for web pages of others; without one 401 |
 * | has another scheme, several tokens, or a token that is not valid | 401 |
 * | has a valid token without all `scopes` | 403, naming all of them |
 * | comes while tokens cannot be validated | 503 with `Retry-After` |
 *
 * The client of a request is closed when the response body was read to its end, failed,
 * or was abandoned (the body cancelled, or `request.signal` aborted); when the caller goes
 * away before there is a response: when the handler is done, at the latest 5 s later.
 * Upgrades (WebSocket) are over with their 101: they need clients of their own.
 *
 * An event stream that waits (of a `GET`, or of a `POST` whose `Mcp-Method` is `subscriptions/listen`) ends 30 s after the
 * caller's token, properly, and its client comes again with a new one. The answer to any other `POST` goes on to its end.
 *
 * Without `createClient` the handler's `client` is `undefined`.
 *
 * @returns a function that never rejects and looks at the `Authorization` header alone, and without it, where there is a fallback client, at where it came from
 * @throws AuthorizationError `invalid_configuration`, naming every mistake at once
 */
export function protect<Client>(options: ProtectOptions<Client>): ProtectedHandler;
export function protect(options: ProtectOptionsWithoutClient): ProtectedHandler;
export function protect(options: ProtectOptions<unknown> | ProtectOptionsWithoutClient): ProtectedHandler {
  throwProblems(problemsOfProtection(options));
  return options.createClient === undefined
    ? protectedHandler<undefined>({ ...options, createClient: () => undefined })
    : protectedHandler(options);
}

function protectedHandler<Client>(options: ProtectOptions<Client>): ProtectedHandler {
  const { handler, createClient, closeClient, fallbackClient, onError, clock = systemClock } = options;
  const resource = canonicalResource(options.resource);
  const scopes = scopeUnion(options.scopes);
  const [wellKnown = ''] = resourceMetadataUrls(resource);
  const challenge = { resourceMetadataUrl: options.resourceMetadataUrl ?? wellKnown, scopes };
  const log = gatewayLog(options.logger, () => clock.now());
  const admit = admission({ validator: options.validator, resource, timeoutMs: options.validationTimeoutMs, log });
  /** Every client that was ever handed out: one that comes again would be shared. */
  const handedOut = new WeakSet<object>();

  /** The answer for what `createClient` or the handler threw; `otherwise` for what only the embedder knows. */
  const failed = async (thrown: unknown, request: Request, otherwise: { event: string; answer: () => Response }): Promise<Response> => {
    if (isInsufficientScope(thrown)) return scopeInsufficient({ ...challenge, scopes: scopeUnion(scopes, scopesOf(thrown)) });
    if (isTokenRejected(thrown)) return tokenInvalid(challenge);
    if (isValidatorUnavailable(thrown)) return validationUnavailable(thrown.retryAfterSeconds);
    log('error', otherwise.event, { thrown: kindOf(thrown) });
    try {
      return (await onError?.(thrown, request)) ?? otherwise.answer();
    } catch {
      return otherwise.answer();
    }
  };

  const ownClient = (client: Client): Client => {
    if ((typeof client !== 'object' && typeof client !== 'function') || client === null) return client;
    if (client === fallbackClient || handedOut.has(client)) {
      log('error', 'backend-client-shared');
      throw new TypeError('createClient returned a client that another request has or had.');
    }
    handedOut.add(client);
    return client;
  };

  const closingOf = (client: Client, platform: RequestPlatform | object | undefined): ClientClosing => {
    const closer = closerOf(client, closeClient);
    if (closer === undefined) return NOTHING_TO_CLOSE;
    const closing = clientClosing(closer, clock, (event, details) => log('warn', event, details));
    try {
      if (platform !== undefined && 'waitUntil' in platform) platform.waitUntil?.(closing.closed);
    } catch {
      // The platform does not wait: the client is closed all the same.
    }
    return closing;
  };

  /** Lets the handler answer; the client is closed when the answer is over. */
  const serve = async (request: Request, call: ProtectedCall<Client>, closing: ClientClosing): Promise<Response> => {
    const { signal } = request;
    // Aborting makes an error with a stack each time: made for those who go away only.
    let answered: AbortController | undefined;
    const abandon = (): void => {
      answered = new AbortController();
      clock.sleep(ABANDONED_GRACE_MS, answered.signal, { background: true }).then(closing.end, () => {});
    };
    if (signal.aborted) abandon();
    else signal.addEventListener('abort', abandon, { once: true });
    let ending: TokenEnd | undefined;
    const end = (): void => {
      ending?.forget();
      closing.end();
    };
    try {
      const response = await withCaller(call, () => handler(request, call));
      if (isWaitingStream(request, response)) ending = tokenEnd(call.caller, clock);
      return withBodyEnd(request.method === 'HEAD' ? withoutBody(response) : response, {
        onEnd: end,
        signal,
        closing: ending?.signal,
        within: (work) => withCaller(call, work),
      });
    } catch (thrown) {
      end();
      return failed(thrown, request, { event: 'handler-failed', answer: handlerFailed });
    } finally {
      answered?.abort();
      signal.removeEventListener('abort', abandon);
    }
  };

  const refusal = (refused: Refused): Response =>
    refused.outcome === 'rejected' ? tokenInvalid(challenge) : validationUnavailable(refused.retryAfterSeconds);

  const answerWithoutToken = (request: Request, kind: 'none' | 'other-scheme' | 'malformed'): Response | Promise<Response> => {
    if (kind === 'malformed') return tokenInvalid(challenge);
    if (kind === 'other-scheme' || fallbackClient === undefined) return credentialsMissing(challenge);
    if (mayBeForeignPage(request, resource, options.fallbackOrigins ?? [])) {
      log('warn', 'fallback-refused');
      return originRefused();
    }
    return serve(request, { client: fallbackClient, caller: undefined }, NOTHING_TO_CLOSE);
  };

  const answer = async (request: Request, platform: RequestPlatform | object | undefined): Promise<Response> => {
    const credentials = bearerCredentials(request.headers);
    if (credentials.kind !== 'token') return answerWithoutToken(request, credentials.kind);
    const admitted = await admit(credentials.token, request.signal);
    if (admitted.outcome !== 'admitted') return refusal(admitted);
    const { caller } = admitted;
    if (missingScopes(scopes, caller.scopes).length > 0) return scopeInsufficient(challenge);
    const exchanged = await admitted.exchange();
    if (exchanged.outcome !== 'exchanged') return refusal(exchanged);
    let client: Client;
    try {
      client = ownClient(await createClient({ token: exchanged.token, caller, request }));
    } catch (thrown) {
      return failed(thrown, request, { event: 'backend-client-failed', answer: backendUnavailable });
    }
    return serve(request, { client, caller }, closingOf(client, platform));
  };

  return async (request, platform) => {
    try {
      return await answer(request, platform);
    } catch (thrown) {
      log('error', 'handler-failed', { thrown: kindOf(thrown) });
      return handlerFailed();
    }
  };
}
