/**
 * The authorised fetch: attaches the access token, turns 401 and 403 into events
 * of the chart, waits for its outcome and sends the request again.
 */
import type { Challenge } from '../machines/contracts.ts';
import type { AccessToken } from './access-token.ts';
import { AuthorizationError } from './errors.ts';
import { type FailureCode, type FailureDetails, failure } from './failure.ts';
import type { Flow } from './flow.ts';
import type { FetchLike } from './options.ts';
import { type Given, given, type OutgoingRequest, outgoing } from './outgoing-request.ts';
import { challengeFacts } from './protocol/challenge.ts';
import { withoutQuery } from './protocol/endpoint-url.ts';
import { isInsideResource } from './protocol/resource-identifier.ts';
import { missingScopes } from './protocol/scopes.ts';
import { followingInside } from './redirects-inside.ts';
import type { Settings } from './settings.ts';

// A token adopted from the store may have ended unnoticed; more than twice in one request is no coincidence.
const MOST_ADOPTIONS = 2;

/** One sending of a request, and what came of it. */
interface Sent {
  readonly request: OutgoingRequest;
  readonly token: AccessToken | undefined;
  readonly response: Response;
  /** Flows that had failed when it was sent. */
  readonly failedFlows: number;
}

/** What was done for one request so far; each has a bound. */
interface Done {
  /** The token that was issued for this request, or while it was under way: if that is rejected too, another will not help (FET-04). */
  freshVersion: string | undefined;
  /** Times it was sent again with a token another process had obtained: that one may have ended as well. */
  adoptions: number;
  stepUps: number;
}

export function createAuthorizedFetch(settings: Settings, flow: Flow): FetchLike {
  const { accessTokens } = flow.environment;
  const isInside = rememberLast((url) => URL.canParse(url) && isInsideResource(settings.resource, new URL(url), settings.attachTo));
  const send = settings.attachTo === 'path' ? followingInside(settings.fetch, isInside) : settings.fetch;

  return async (asked, init) => {
    // What has been checked is what is sent: a caller may change its URL while the flow is under way.
    const input = asked instanceof URL ? asked.href : asked;
    const request = given(input, init);
    if (!isInside(request.url)) throw error('url_outside_resource', request, { resource: settings.resource });
    // The caller's own credentials win, and what becomes of them is the caller's business (FET-10).
    if (request.headers.has('authorization')) return settings.fetch(input, init);
    if (!isPlain(input, init?.body)) return run(await outgoing(request, send, settings.limits.replayBufferBytes));
    // Nearly every request: a text or nothing to send. Taken as it is now, for a caller may change it while the token is renewed.
    const plain = { ...init, headers: request.headers };
    // Usually there is a good token to send it with (FET-11).
    const token = flow.readyToken() ?? (await flow.usableToken(plain.signal ?? undefined));
    if (token === undefined) return run(await outgoing({ ...request, init: plain }, send, settings.limits.replayBufferBytes));
    const failedFlows = flow.failedFlows();
    request.headers.set('authorization', token.header);
    const response = await send(input, plain);
    if (response.status !== 401 && response.status !== 403) return response;
    return run(await outgoing({ ...request, init: plain }, send, settings.limits.replayBufferBytes), { token, response, failedFlows });
  };

  async function run(request: OutgoingRequest, before?: Omit<Sent, 'request'>): Promise<Response> {
    const done: Done = { freshVersion: undefined, adoptions: 0, stepUps: 0 };
    let answered = before;
    try {
      for (;;) {
        const { token, response, failedFlows } = answered ?? (await sendOnce(request));
        answered = undefined;
        if (isChallenge(response, request.url) && (await isAnswered({ request, token, response, failedFlows }, done))) continue;
        request.release();
        return response;
      }
    } catch (thrown) {
      request.release(thrown);
      throw thrown;
    }
  }

  async function sendOnce(request: OutgoingRequest): Promise<Omit<Sent, 'request'>> {
    const token = await flow.usableToken(request.signal);
    const failedFlows = flow.failedFlows();
    return { token, response: await request.send(token), failedFlows };
  }

  /** True once there is a token that the request has not been sent with; false if the response is the caller's. */
  async function isAnswered(sent: Sent, done: Done): Promise<boolean> {
    if (sent.response.status === 403 && !(await afterForbidden(sent, done))) return false;
    if (sent.response.status === 401) await afterUnauthorized(sent, done);
    const { current } = accessTokens;
    if (current?.isAdopted === true) done.adoptions += 1;
    const isFresh = current?.isAdopted !== true || done.adoptions > MOST_ADOPTIONS;
    done.freshVersion = isFresh ? current?.version : undefined;
    return true;
  }

  async function afterUnauthorized(sent: Sent, done: Done): Promise<void> {
    const { request, token, response } = sent;
    await discard(response);
    if (token !== undefined && token.version === done.freshVersion) {
      accessTokens.rejectedVersion = token.version;
      throw error('access_token_rejected', request, { resource: settings.resource, status: 401 });
    }
    // It was on its way while its token was replaced: that is the answer (FET-06).
    if (accessTokens.current !== undefined && accessTokens.current.version !== token?.version) return;
    await flow.authorize(challengeOf(sent, 'unauthorized'), { signal: request.signal, failedFlows: sent.failedFlows });
  }

  /** False if the 403 is to be handed back as it came (FET-08, SCO-06). */
  async function afterForbidden(sent: Sent, done: Done): Promise<boolean> {
    const { request, token, response } = sent;
    const challenge = challengeOf(sent, 'insufficient-scope');
    if (token === undefined || challenge.facts?.error !== 'insufficient_scope') return false;
    try {
      if (done.stepUps >= settings.limits.stepUpsPerRequest) {
        const missing = missingScopes(challenge.facts.scopes, token.scopes);
        throw error('step_up_limit', request, { resource: settings.resource, missingScopes: missing });
      }
      const wasRaised = await flow.authorize(challenge, { signal: request.signal, failedFlows: sent.failedFlows });
      // What others stepped up for is not this request's doing.
      if (wasRaised) done.stepUps += 1;
    } catch (thrown) {
      await discard(response);
      throw thrown;
    }
    if (accessTokens.current?.version === token.version) return false;
    await discard(response);
    return true;
  }

  function challengeOf({ request, token, response }: Sent, reason: 'unauthorized' | 'insufficient-scope'): Challenge {
    const facts = challengeFacts(response.headers, token?.value);
    return {
      reason,
      operation: `${request.method} ${new URL(request.url).pathname}`,
      ...(facts !== undefined && { facts }),
      ...(token !== undefined && { tokenVersion: token.version }),
      ...(token !== undefined && accessTokens.rejectedVersion === token.version && { neverAccepted: true }),
    };
  }
}

function error(code: FailureCode, { url }: Given | OutgoingRequest, details: FailureDetails = {}): AuthorizationError {
  return new AuthorizationError(failure(code, 'request', { url: withoutQuery(url), ...details }));
}

/** Its body, if any, cannot change and can be read any number of times. */
function isPlain(input: string | URL | Request, body: unknown): boolean {
  return (typeof input === 'string' || input instanceof URL) && (typeof body === 'string' || body === undefined || body === null);
}

/** Only the resource itself can challenge: a redirect may have led elsewhere (FET-03). */
function isChallenge(response: Response, url: string): boolean {
  if (response.status !== 401 && response.status !== 403) return false;
  return response.url === '' || new URL(response.url).origin === new URL(url).origin;
}

/** Frees the connection; the answer to an unauthorised request is of no use to anyone. */
async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {});
}

/** MCP clients send every request to one URL: its answer is worked out once. */
function rememberLast(judge: (url: string) => boolean): (url: string) => boolean {
  let lastUrl: string | undefined;
  let lastAnswer = false;
  return (url) => {
    if (url !== lastUrl) {
      lastAnswer = judge(url);
      lastUrl = url;
    }
    return lastAnswer;
  };
}
