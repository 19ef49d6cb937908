/** docs/errors.md: every failure code, what happened, what to do. */
import { FAILURE_CODES } from '../../src/failure-codes.ts';

const ACTIONS: Readonly<Record<string, string>> = {
  retry: 'The same call may succeed later; nothing was lost.',
  'authorize-again': 'Start the authorization again: the next request does it by itself.',
  reconfigure: "The client's configuration has to change.",
  'report-to-server': 'The server breaks a rule; its operator has to fix it.',
  'provide-client-identifier': 'A client identifier has to be entered.',
  none: 'Nothing to do: the person or the embedder decided so.',
};

export function errorsDocument(): string {
  const codes = Object.entries(FAILURE_CODES);
  const unexplained = codes.find(([, { action }]) => ACTIONS[action] === undefined);
  if (unexplained) throw new Error(`The action of ${unexplained[0]} is not explained in test/tools/errors-document.ts.`);
  return [
    '# Errors',
    '',
    'Generated from `src/failure-codes.ts` by `npm run docs`.',
    '',
    'Every failure has a stable code. It is found as `error.code` of an `AuthorizationError`, and as',
    '`failure.code` of a status whose step is `failed`. The message says what happened, the advice what to do,',
    'and `action` says the same to programs:',
    '',
    '| action | meaning |',
    '|---|---|',
    ...Object.entries(ACTIONS).map(([action, meaning]) => `| \`${action}\` | ${meaning} |`),
    '',
    'A failure that is `retryable` may end differently when the same step is tried later; its credentials were kept.',
    '',
    '| code | what happened | what to do | action | retryable |',
    '|---|---|---|---|---|',
    ...codes.map(
      ([code, { message, advice, action, retryable }]) =>
        `| \`${code}\` | ${message} | ${advice} | \`${action}\` | ${retryable ? 'yes' : 'no'} |`,
    ),
    '',
  ].join('\n');
}
