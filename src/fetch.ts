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
import type { Settings } from './settings.ts';

// A 401 that was on its way while the token was replaced is sent again without a flow; more than twice is no coincidence.
const LATE_REPLAYS = 2;

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
  /** The token a flow obtained for this very request. */
  freshVersion: string | undefined;
  lateReplays: number;
  stepUps: number;
}

export function createAuthorizedFetch(settings: Settings, flow: Flow): FetchLike {
  const { accessTokens } = flow.environment;
  const isInside = rememberLast((url) => URL.canParse(url) && isInsideResource(settings.resource, new URL(url), settings.attachTo));

  return async (input, init) => {
    const request = given(input, init);
    if (!isInside(request.url)) throw error('url_outside_resource', request, { resource: settings.resource });
    // The caller's own credentials win, and what becomes of them is the caller's business (FET-10).
    if (request.headers.has('authorization')) return settings.fetch(input, init);
    return run(await outgoing(request, settings.fetch, settings.limits.replayBufferBytes));
  };

  async function run(request: OutgoingRequest): Promise<Response> {
    const done: Done = { freshVersion: undefined, lateReplays: 0, stepUps: 0 };
    for (;;) {
      // Nothing waits on the way of a good token (FET-11).
      const token = await flow.usableToken(request.signal);
      const failedFlows = flow.failedFlows();
      const response = await request.send(token);
      if (!isFromResource(response, request.url)) return response;
      const sent = { request, token, response, failedFlows };
      if (response.status === 401) await afterUnauthorized(sent, done);
      else if (response.status !== 403 || !(await afterForbidden(sent, done))) return response;
      if (request.body?.canReplay === false) throw error('request_not_resent', request);
    }
  }

  /** Ends when a token is there that the request has not been sent with. */
  async function afterUnauthorized(sent: Sent, done: Done): Promise<void> {
    const { request, token, response } = sent;
    const { current } = accessTokens;
    await discard(response);
    if (token !== undefined && token.version === done.freshVersion) {
      accessTokens.rejectedVersion = token.version;
      throw error('access_token_rejected', request, { resource: settings.resource, status: 401 });
    }
    const isLate = current !== undefined && current.version !== token?.version;
    if (isLate && done.lateReplays < LATE_REPLAYS) {
      done.lateReplays += 1;
      return;
    }
    await flow.authorize(challengeOf(sent, 'unauthorized'), { signal: request.signal, failedFlows: sent.failedFlows });
    done.freshVersion = accessTokens.current?.version;
  }

  /** False if the 403 is to be handed back as it came (FET-08, SCO-06). */
  async function afterForbidden(sent: Sent, done: Done): Promise<boolean> {
    const { request, token, response } = sent;
    const challenge = challengeOf(sent, 'insufficient-scope');
    if (token === undefined || challenge.facts?.error !== 'insufficient_scope') return false;
    if (done.stepUps >= settings.limits.stepUpsPerRequest) {
      const missing = missingScopes(challenge.facts.scopes ?? [], token.scopes);
      throw error('step_up_limit', request, { resource: settings.resource, missingScopes: missing });
    }
    done.stepUps += 1;
    await flow.authorize(challenge, { signal: request.signal, failedFlows: sent.failedFlows });
    if (accessTokens.current?.version === token.version) return false;
    await discard(response);
    done.freshVersion = accessTokens.current?.version;
    return true;
  }

  function challengeOf({ request, token, response }: Sent, reason: 'unauthorized' | 'insufficient-scope'): Challenge {
    const facts = challengeFacts(response.headers);
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

/** Only the resource itself can challenge: a redirect may have led elsewhere (FET-03). */
function isFromResource(response: Response, url: string): boolean {
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
