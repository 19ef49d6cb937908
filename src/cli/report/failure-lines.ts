/** A failure as a person reads it: what happened, what to do, then the facts. */
import type { Failure, FailureDetails } from '../../failure.ts';
import type { Style } from './style.ts';
import { duration, shown } from './words.ts';

export function failureLines({ code, message, advice, details }: Failure, style: Style): string {
  const facts = factsOf(details);
  const width = Math.max(0, ...facts.map(([name]) => name.length));
  return [
    '',
    `${style.red(style.symbols.failed)} ${style.bold(shown(message) ?? code)}`,
    `  ${advice}`,
    ...(facts.length === 0 ? [] : ['']),
    ...facts.map(([name, value]) => `  ${style.dim(name.padEnd(width))}  ${value}`),
    '',
    `  ${style.dim(code)}`,
    '',
  ].join('\n');
}

/** A mistake in the command line, or its early end. */
export function mistakeLines(
  { message, advice }: { readonly message: string; readonly advice?: string | undefined },
  style: Style,
): string {
  return `${style.red(style.symbols.failed)} ${message}\n${advice === undefined ? '' : `  ${style.dim(advice)}\n`}`;
}

// `reason` stands in the message already, `problems` in most cases too.
function factsOf(details: FailureDetails): (readonly [string, string])[] {
  const { resource, issuer, expected, received, url, status, oauthError, oauthErrorDescription, missingScopes, retryAfterSeconds } =
    details;
  const facts: (readonly [string, string | undefined])[] = [
    ['Resource', shown(resource)],
    ['Issuer', shown(issuer)],
    ['Expected', shown(expected)],
    ['Received', shown(received)],
    ['Address', shown(url)],
    ['Status', status?.toString()],
    ['Error', shown(oauthError)],
    ['Server says', shown(oauthErrorDescription)],
    ['Missing scopes', shown(missingScopes?.join(' '))],
    ['Try again in', retryAfterSeconds === undefined ? undefined : duration(retryAfterSeconds)],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}
