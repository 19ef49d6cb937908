/**
 * One callback handler for all logins of a host. The flow is found by `state`, in
 * whichever process it began (RES-06), and goes on only if the browser is signed in
 * as the account the flow is for: someone who makes a user open a callback URL, or
 * approve a page, of another account would otherwise bind one person's access to
 * the account of another. Until that is known, nothing has changed.
 */
import type { Grant } from '../../machines/contracts.ts';
import { type AuthorizationSnapshot, grantUnderWay, isResting, needsClient } from '../../machines/selectors.ts';
import { acceptCallback } from '../callback.ts';
import { AuthorizationError } from '../errors.ts';
import { type Failure, type FailureCode, FailureError, failure, failureOf, kindOf } from '../failure.ts';
import type { Flow } from '../flow.ts';
import { readCallback } from '../protocol/authorization-response.ts';
import type { AttemptRecords } from '../records/attempt-records.ts';
import { flowOwner } from '../records/keys.ts';
import type { Settings } from '../settings.ts';
import { until } from '../until.ts';
import { acceptedAnswer, completedAnswer, emptyAnswer, redirectAnswer, refusedAnswer, wrongMethodAnswer } from './callback-answers.ts';
import type { AuthorizationHostOptions, HostedLogin } from './host-options.ts';
import { isUsersTurn } from './hosted-client.ts';

/** Codes are a few hundred characters; no server that works sends more than this. */
const LONGEST_QUERY_CHARACTERS = 16 * 1024;

interface CallbackHandlerParts {
  readonly attempts: AttemptRecords;
  readonly identify: AuthorizationHostOptions['identify'];
  readonly redirectUri: string;
  readonly applicationName: string | undefined;
  readonly log: Settings['log'];
  /** Does the work with the flow of this account, loaded if it has to be. */
  readonly withFlow: <Result>(login: HostedLogin, work: (flow: Flow) => Promise<Result>) => Promise<Result>;
  /** Where the browser goes after the login; `undefined` for the page. */
  readonly afterLogin: (login: HostedLogin) => string | undefined;
}

type Outcome =
  | { readonly kind: 'completed' }
  /** Another process has the callback, too, and goes on with it. */
  | { readonly kind: 'elsewhere' }
  /** The user has to approve once more. */
  | { readonly kind: 'asked-again'; readonly url: string }
  | { readonly kind: 'failed'; readonly failure: Failure };

export function createCallbackHandler(parts: CallbackHandlerParts): (request: Request) => Promise<Response> {
  const { attempts, applicationName, log } = parts;
  // The request may have come by a proxy that knows the public URL better than we: only its query is taken.
  const [publicUrl] = parts.redirectUri.split('?');
  /** The same callback twice at once (a reload, an impatient browser) is one callback with two pages. */
  const underWay = new Map<string, Promise<Outcome>>();

  const expectedBy = async (state: string | undefined): Promise<{ login: HostedLogin; attemptId: string }> => {
    const attempt = state === undefined ? undefined : await attempts.findByState(state);
    const login = attempt && flowOwner(attempt.flowKey);
    if (attempt === undefined || login === undefined) throw refused('callback_not_expected', 'Its state is unknown.');
    return { login, attemptId: attempt.attemptId };
  };

  const checkBrowser = async (request: Request, account: string): Promise<void> => {
    let identified: Awaited<ReturnType<AuthorizationHostOptions['identify']>>;
    try {
      identified = await parts.identify(request);
    } catch (thrown) {
      throw refused('callback_account_unknown', `(${kindOf(thrown)})`);
    }
    const accounts = Array.isArray(identified) ? identified : [identified];
    if (!accounts.includes(account)) throw refused('callback_account_mismatch');
  };

  const complete = (callbackUrl: string, login: HostedLogin, attemptId: string): Promise<Outcome> => {
    const known = underWay.get(callbackUrl);
    if (known !== undefined) return known;
    const outcome = parts
      .withFlow(login, async (flow) => {
        await acceptCallback(flow, callbackUrl);
        // A code that the server rejects leads to another attempt, and the browser is still here to be sent to its page.
        const isAskedAgain = (now: AuthorizationSnapshot): boolean => (pageToApprove(now)?.attemptId ?? attemptId) !== attemptId;
        return outcomeOf(await until(flow.actor, (now) => isResting(now) || needsClient(now) || isAskedAgain(now)));
      })
      .finally(() => underWay.delete(callbackUrl));
    underWay.set(callbackUrl, outcome);
    return outcome;
  };

  const answer = async (request: Request): Promise<Response> => {
    if (request.method !== 'GET') return wrongMethodAnswer();
    const { search } = new URL(request.url);
    if (search.length > LONGEST_QUERY_CHARACTERS) throw refused('callback_invalid', 'It is too long.');
    const callbackUrl = `${publicUrl}${search}`;
    const { state, parameters } = readCallback(callbackUrl);
    if (parameters.size === 0) return emptyAnswer();
    const { login, attemptId } = await expectedBy(state);
    await checkBrowser(request, login.account);
    const outcome = await complete(callbackUrl, login, attemptId);
    if (outcome.kind === 'failed') throw new AuthorizationError(outcome.failure);
    if (outcome.kind === 'asked-again') return redirectAnswer(outcome.url);
    if (outcome.kind === 'elsewhere') return acceptedAnswer(applicationName);
    const location = parts.afterLogin(login);
    return location === undefined ? completedAnswer(applicationName) : redirectAnswer(location);
  };

  return async (request) => {
    try {
      return await answer(request);
    } catch (thrown) {
      const failed = thrown instanceof AuthorizationError ? thrown.failure : failureOf(thrown, 'authorization');
      log('warn', 'callback-refused', { failure: failed });
      return refusedAnswer(failed);
    }
  };
}

/** The attempt the user is asked to approve at this moment, by this process or another. */
function pageToApprove(snapshot: AuthorizationSnapshot): Grant | undefined {
  return isUsersTurn(snapshot) ? grantUnderWay(snapshot) : undefined;
}

function outcomeOf(snapshot: AuthorizationSnapshot): Outcome {
  const { failure: failed } = snapshot.context;
  if (needsClient(snapshot)) return { kind: 'failed', failure: failure('client_identifier_required', 'registration') };
  const page = isResting(snapshot) ? undefined : pageToApprove(snapshot);
  if (page !== undefined) return { kind: 'asked-again', url: page.authorizationUrl };
  if (snapshot.matches({ resting: 'authorized' })) return { kind: 'completed' };
  if (failed?.code === 'flow_taken_over') return { kind: 'elsewhere' };
  return { kind: 'failed', failure: failed ?? failure('callback_not_expected', 'authorization') };
}

function refused(code: FailureCode, reason?: string): FailureError {
  return new FailureError(code, 'authorization', reason === undefined ? {} : { reason });
}
