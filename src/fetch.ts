/**
 * The authorised fetch: attaches the access token, turns 401 and 403 into events
 * of the chart, waits for its outcome and sends the request again.
 */
import type { Challenge } from '../machines/contracts.ts';
import type { AccessToken } from './access-token.ts';
import { AuthorizationError } from './errors.ts';
import { failure } from './failure.ts';
import type { Flow } from './flow.ts';
import type { FetchLike } from './options.ts';
import { challengeFacts } from './protocol/challenge.ts';
import { withoutQuery } from './protocol/endpoint-url.ts';
import { isInsideResource } from './protocol/resource-identifier.ts';
import { isOneShot, type ReplayableBody, replayable } from './replayable-body.ts';
import type { Settings } from './settings.ts';

interface Outgoing {
  readonly url: string;
  readonly method: string;
  readonly signal: AbortSignal | undefined;
  readonly body: ReplayableBody | undefined;
  readonly send: (token: AccessToken | undefined) => Promise<Response>;
}

// A 401 that was on its way while the token was replaced is sent again without a flow; more than twice is no coincidence.
const LATE_REPLAYS = 2;

export function createAuthorizedFetch(settings: Settings, flow: Flow): FetchLike {
  const { accessTokens } = flow.environment;
  const isInside = rememberLast((url: string) => URL.canParse(url) && isInsideResource(settings.resource, new URL(url), settings.attachTo));

  return async (input, init) => {
    const url = urlOf(input);
    if (!isInside(url)) {
      throw new AuthorizationError(failure('url_outside_resource', 'request', { resource: settings.resource, url: withoutQuery(url) }));
    }
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    // The caller's own credentials win, and what becomes of them is the caller's business (FET-10).
    if (headers.has('authorization')) return settings.fetch(input, init);
    return run(await outgoing(settings, input, init, url, headers));
  };

  async function run(request: Outgoing): Promise<Response> {
    const { signal } = request;
    let freshVersion: string | undefined;
    let lateReplays = 0;
    let stepUps = 0;
    for (let isReplay = false; ; isReplay = true) {
      if (isReplay && request.body?.canReplay === false) throw new AuthorizationError(failure('request_not_resent', 'request', { url: withoutQuery(request.url) }));
      const token = await flow.usableToken(signal);
      const failedFlows = flow.failedFlows();
      const response = await request.send(token);
      const current = accessTokens.current;
      if (!isChallenge(response, request.url)) return response;
      if (response.status === 401) {
        await discard(response);
        if (token !== undefined && token.version === freshVersion) {
          accessTokens.rejectedVersion = token.version;
          throw new AuthorizationError(failure('access_token_rejected', 'request', { resource: settings.resource, status: 401, url: withoutQuery(request.url) }));
        }
        if (current !== undefined && current.version !== token?.version && lateReplays < LATE_REPLAYS) {
          lateReplays += 1;
          continue;
        }
        await flow.authorize(challengeOf(response, 'unauthorized', request, token), { signal, failedFlows });
        freshVersion = accessTokens.current?.version;
        continue;
      }
      const challenge = challengeOf(response, 'insufficient-scope', request, token);
      if (token === undefined || challenge.facts?.error !== 'insufficient_scope') return response;
      if (stepUps >= settings.limits.stepUpsPerRequest) throw stepUpLimit(challenge);
      stepUps += 1;
      await flow.authorize(challenge, { signal, failedFlows });
      // The embedder or the user's earlier answer stands: the 403 is handed back as it came (SCO-06).
      if (accessTokens.current?.version === token.version) return response;
      await discard(response);
      freshVersion = accessTokens.current?.version;
    }
  }

  function challengeOf(response: Response, reason: 'unauthorized' | 'insufficient-scope', request: Outgoing, token: AccessToken | undefined): Challenge {
    const facts = challengeFacts(response.headers);
    return {
      reason,
      operation: `${request.method} ${new URL(request.url).pathname}`,
      ...(facts !== undefined && { facts }),
      ...(token !== undefined && { tokenVersion: token.version }),
      ...(token !== undefined && accessTokens.rejectedVersion === token.version && { neverAccepted: true }),
    };
  }

  function stepUpLimit(challenge: Challenge): AuthorizationError {
    const granted = accessTokens.current?.scopes ?? [];
    const missingScopes = (challenge.facts?.scopes ?? []).filter((scope) => !granted.includes(scope));
    return new AuthorizationError(failure('step_up_limit', 'step-up', { resource: settings.resource, missingScopes }));
  }
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

async function outgoing(settings: Settings, input: string | URL | Request, init: RequestInit | undefined, url: string, headers: Headers): Promise<Outgoing> {
  const isRequest = input instanceof Request;
  const given = init?.body ?? (isRequest ? input.body : undefined);
  const signal = init?.signal ?? (isRequest ? input.signal : undefined);
  const kept = given == null ? undefined : await replayable(given, settings.limits.replayBufferBytes);
  if (kept?.contentType !== undefined && !headers.has('content-type')) headers.set('content-type', kept.contentType);
  const duplex = kept !== undefined && isOneShot(given) ? { duplex: 'half' } : {};
  return {
    url,
    method: init?.method ?? (isRequest ? input.method : 'GET'),
    signal: signal ?? undefined,
    body: kept?.body,
    send(token) {
      if (token === undefined) headers.delete('authorization');
      else headers.set('authorization', `${token.tokenType} ${token.value}`);
      const body = kept === undefined ? {} : { body: kept.body.next() ?? null };
      return settings.fetch(input, { ...init, ...duplex, ...body, headers });
    },
  };
}

function urlOf(input: string | URL | Request): string {
  if (typeof input === 'string') return input;
  return input instanceof URL ? input.href : input.url;
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
