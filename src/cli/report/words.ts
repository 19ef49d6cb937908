/** What a person reads about steps, clients and times. */
import type { ClientSource } from '../../protocol/documents.ts';
import { serverText } from '../../protocol/server-text.ts';
import type { AuthorizationStatus } from '../../status.ts';

type Step = AuthorizationStatus['step'];

interface StepWords {
  readonly doing: string;
  /** Said once it is behind us; left out where that is of no interest. */
  readonly done?: string;
  /** What came of it. */
  readonly outcome?: (status: AuthorizationStatus, nowEpochMs: number) => string | undefined;
}

const STEPS: Partial<Record<Step, StepWords>> = {
  discovering: {
    doing: 'Finding the authorization server',
    done: 'Found the authorization server',
    outcome: ({ issuer }) => shown(issuer),
  },
  registering: {
    doing: 'Choosing a client identifier',
    done: 'Client identifier ready',
    outcome: ({ registration }) => (registration === undefined ? undefined : CLIENT_SOURCES[registration]),
  },
  'awaiting-client': { doing: 'Waiting for a client identifier', done: 'Client identifier given' },
  preparing: { doing: 'Preparing the authorization' },
  'awaiting-user': { doing: 'Waiting for you to approve in the browser', done: 'Back from the browser' },
  'awaiting-other': { doing: 'Waiting for the login that another process has under way', done: 'Logged in by another process' },
  exchanging: { doing: 'Fetching the access token', done: 'Access token received', outcome: tokenOutcome },
  refreshing: { doing: 'Refreshing the access token', done: 'Access token refreshed', outcome: tokenOutcome },
  'stepping-up': {
    doing: 'Asking for more scopes',
    done: 'More scopes are needed',
    outcome: ({ missingScopes }) => scopeList(missingScopes),
  },
  'signing-out': { doing: 'Signing out' },
};

/** Words for a step in which something happens; `undefined` for one in which the flow rests. */
export function stepWords(step: Step): StepWords | undefined {
  return STEPS[step];
}

/** A login goes down this list; where it goes up again, what it was at did not succeed. */
const ORDER: readonly Step[] = [
  'stepping-up',
  'discovering',
  'awaiting-client',
  'registering',
  'preparing',
  'awaiting-other',
  'awaiting-user',
  'exchanging',
  'authorized',
];

/** Has `step` succeeded, now that `next` is there? */
export function isDone(step: Step, next: AuthorizationStatus): boolean {
  if (step === 'refreshing') return next.step === 'authorized' && next.warning?.phase !== 'refresh';
  return ORDER.includes(step) && ORDER.indexOf(next.step) > ORDER.indexOf(step);
}

export const CLIENT_SOURCES: Readonly<Record<ClientSource, string>> = {
  preregistered: 'pre-registered',
  stored: 'stored registration',
  'metadata-document': 'client ID metadata document',
  dynamic: 'dynamic registration',
  provided: 'entered by hand',
};

/** `59 minutes`: one unit is enough to decide by. An hour that has just begun is an hour. */
export function duration(exactSeconds: number): string {
  const seconds = Math.ceil(exactSeconds);
  const units = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
    ['second', 1],
  ] as const;
  const [name, size] = units.find(([, unit]) => seconds >= unit) ?? units[3];
  const count = Math.max(0, Math.floor(seconds / size));
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

/** `9:41`, for a countdown. */
export function countdown(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
}

export function scopeList(scopes: readonly string[] | undefined): string | undefined {
  return scopes === undefined || scopes.length === 0 ? undefined : shown(scopes.join(' '));
}

/** Text that came from a server, in one line and without control characters (TOK-04). */
export function shown(text: string | undefined): string | undefined {
  return serverText(text, 2_000);
}

/** A URL to open: all of it, since a part leads nowhere. */
export function shownUrl(url: string | undefined): string | undefined {
  return serverText(url, Number.MAX_SAFE_INTEGER);
}

function tokenOutcome({ grantedScopes, expiresAtEpochSeconds }: AuthorizationStatus, nowEpochMs: number): string | undefined {
  const scopes = scopeList(grantedScopes);
  const left = expiresAtEpochSeconds === undefined ? undefined : `valid for ${duration(expiresAtEpochSeconds - nowEpochMs / 1000)}`;
  const parts = [scopes, left].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(', ');
}
