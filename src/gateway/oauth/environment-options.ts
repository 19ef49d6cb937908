/** The OAuth half of the gateway as environment variables (GWY-14). Pure: the caller reads the environment and the file. */

import { throwProblems } from '../../misconfigured.ts';
import { parseScope } from '../../protocol/scopes.ts';
import type { GatewayOptions } from './gateway-options.ts';
import { problemsOfGatewayOptions } from './option-problems.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Which variable stands for an option, for the words of a problem. */
const VARIABLES: readonly (readonly [option: string, variable: string])[] = [
  ['upstream.endpoints.authorization', 'OAUTH_AUTHORIZE_ENDPOINT'],
  ['upstream.endpoints.token', 'OAUTH_TOKEN_ENDPOINT'],
  ['upstream.endpoints', 'OAUTH_AUTHORIZE_ENDPOINT'],
  ['upstream.clientId', 'OIDC_CLIENT_ID'],
  ['upstream.clientSecret', 'OIDC_CLIENT_SECRET'],
  ['upstream.issuer', 'OIDC_ISSUER_URL'],
  ['limits.redirectUris', 'OAUTH_MAX_REGISTERED_URIS'],
  ['defaultScope', 'OAUTH_DEFAULT_SCOPE'],
  ['resource', 'OAUTH_RESOURCE_URL'],
  ['issuer', 'OAUTH_ISSUER_URL'],
];

/**
 * Variables that are empty count as not set.
 *
 * @param readFile reads `OIDC_CLIENT_SECRET_FILE`; white space around the secret is left out
 * @throws AuthorizationError `invalid_configuration`, its `failure.details.problems` naming every mistake by its variable and no value.
 */
export function gatewayOptionsFromEnvironment(environment: Environment, readFile?: (path: string) => string): GatewayOptions {
  const get = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const secret = clientSecret(get, readFile);
  const authorization = get('OAUTH_AUTHORIZE_ENDPOINT');
  const token = get('OAUTH_TOKEN_ENDPOINT');
  const most = get('OAUTH_MAX_REGISTERED_URIS');
  const options = withoutUndefined({
    resource: get('OAUTH_RESOURCE_URL'),
    issuer: get('OAUTH_ISSUER_URL'),
    defaultScope: get('OAUTH_DEFAULT_SCOPE') && parseScope(get('OAUTH_DEFAULT_SCOPE') ?? ''),
    upstream: withoutUndefined({
      issuer: get('OIDC_ISSUER_URL'),
      endpoints: authorization || token ? withoutUndefined({ authorization, token }) : undefined,
      clientId: get('OIDC_CLIENT_ID'),
      clientSecret: secret.value,
    }),
    limits: most && { redirectUris: /^\d+$/.test(most) ? Number(most) : 0 },
  }) as unknown as GatewayOptions;
  const problems = [...secret.problems, ...problemsOfGatewayOptions(options).map(byVariable)];
  throwProblems(problems);
  return options;
}

function clientSecret(
  get: (name: string) => string | undefined,
  readFile: ((path: string) => string) | undefined,
): { readonly value?: string | undefined; readonly problems: readonly string[] } {
  const value = get('OIDC_CLIENT_SECRET');
  const path = get('OIDC_CLIENT_SECRET_FILE');
  if (path === undefined) return { value, problems: [] };
  if (value !== undefined)
    return { value, problems: ['`OIDC_CLIENT_SECRET` and `OIDC_CLIENT_SECRET_FILE` are both set: which one counts?'] };
  try {
    const read = readFile?.(path).trim();
    return read ? { value: read, problems: [] } : { problems: ['`OIDC_CLIENT_SECRET_FILE` names a file that is empty.'] };
  } catch {
    return { problems: ['`OIDC_CLIENT_SECRET_FILE` names a file that cannot be read.'] };
  }
}

function byVariable(problem: string): string {
  const named = VARIABLES.find(([option]) => problem.startsWith(`\`${option}\``));
  if (named !== undefined) return problem.replace(`\`${named[0]}\``, `\`${named[1]}\``);
  if (problem.startsWith('`upstream` has to name'))
    return 'Set `OIDC_ISSUER_URL`, or `OAUTH_AUTHORIZE_ENDPOINT` and `OAUTH_TOKEN_ENDPOINT`.';
  return problem;
}

function withoutUndefined(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
