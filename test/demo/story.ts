/** Turns what a client does into lines on the terminal: its steps from `subscribe`, its requests from a `fetch` around fetch. */

import type { FetchLike } from '../../src/options.ts';
import type { AuthorizationStatus, Progress } from '../../src/status.ts';
import type { Terminal } from './terminal.ts';

export interface Story {
  /** Give this to the client as its `fetch`. */
  readonly fetch: FetchLike;
  /** Give this to `client.subscribe`. */
  readonly follow: (status: AuthorizationStatus, progress: Progress) => void;
  /** Requests of the client since the last call. */
  countRequests(): number;
}

const TITLES: Partial<Record<AuthorizationStatus['step'], string>> = {
  restoring: 'looked into the store',
  discovering: 'discovered the authorization server',
  registering: 'registered the client',
  preparing: 'prepared the authorization request',
  'awaiting-user': 'the user came back',
  exchanging: 'exchanged the code for tokens',
  refreshing: 'refreshed the access token',
  'stepping-up': 'found out which scopes are missing',
};

export function tellStory(terminal: Terminal): Story {
  let requests = 0;
  let current: { readonly status: AuthorizationStatus; readonly startedAt: number } | undefined;
  return {
    async fetch(input, init) {
      const startedAt = performance.now();
      const response = await globalThis.fetch(input, init);
      requests += 1;
      const url = new URL(input instanceof Request ? input.url : input);
      const method = init?.method ?? (input instanceof Request ? input.method : 'GET');
      terminal.request({ by: 'client', method, url, status: response.status, durationMs: performance.now() - startedAt });
      return response;
    },
    follow(status, progress) {
      if (status.step === current?.status.step) {
        // The same step with more facts: they are what there is to tell when it ends.
        current = { status, startedAt: current.startedAt };
        return;
      }
      const title = current && titleOf(current.status, status);
      if (current && title !== undefined) {
        const detail = detailOf(current.status, status);
        terminal.step({
          title,
          ...(detail === undefined ? {} : { detail }),
          durationMs: performance.now() - current.startedAt,
          progress: `${progress.completed}/${progress.total}`,
        });
      }
      current = { status, startedAt: performance.now() };
    },
    countRequests() {
      const count = requests;
      requests = 0;
      return count;
    },
  };
}

function titleOf(ended: AuthorizationStatus, next: AuthorizationStatus): string | undefined {
  const registration = next.registration ?? ended.registration;
  if (ended.step === 'registering' && registration === 'stored') return 'found the stored registration';
  return TITLES[ended.step];
}

/** The fact worth showing at the end of a step; some are known only from the next status. */
function detailOf(ended: AuthorizationStatus, next: AuthorizationStatus): string | undefined {
  switch (ended.step) {
    case 'discovering':
      return next.issuer ?? ended.issuer;
    case 'registering':
      // The title says it for a stored one.
      return next.registration === 'stored' ? undefined : next.registration;
    case 'preparing':
      return next.requestedScopes?.join(' ');
    case 'exchanging':
    case 'refreshing':
      return next.grantedScopes?.join(' ');
    case 'stepping-up':
      return (next.missingScopes ?? ended.missingScopes)?.join(' ');
    default:
      return undefined;
  }
}
