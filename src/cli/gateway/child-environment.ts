/** What a process behind the gateway finds in its environment: never the gateway's own secrets. */
import type { Caller } from '../../gateway/protect-options.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The gateway's own, which no name given to `--backend-env` passes on. */
export const SECRET_VARIABLES: readonly string[] = [
  'OIDC_CLIENT_SECRET',
  'OIDC_CLIENT_SECRET_FILE',
  'AUTHCHART_CLIENT_SECRET',
  'AUTHCHART_GATEWAY_STORE',
];

/**
 * What a program needs to run (`PATH`, `HOME` and such) comes from the SDK's list; here is what is added: what the operator
 * named, and who calls.
 */
export function childEnvironment(
  environment: Environment,
  passedOn: readonly string[],
  caller: Caller | undefined,
): Record<string, string> {
  const named = passedOn.filter((name) => !SECRET_VARIABLES.includes(name)).map((name) => [name, environment[name]] as const);
  const identity = [
    ['AUTHCHART_ISSUER', caller?.claims['iss']],
    ['AUTHCHART_SUBJECT', caller?.subject],
    ['AUTHCHART_CLIENT_ID', caller?.clientId],
    ['AUTHCHART_SCOPES', caller?.scopes.join(' ')],
  ] as const;
  const all = [...named, ...identity].filter((entry): entry is readonly [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(all);
}
