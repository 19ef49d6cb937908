/** The options of one client of a host: those of the host, what differs by resource or account, and what only the host decides. */
import { FailureError } from '../failure.ts';
import type { AuthorizationClientOptions } from '../options.ts';
import { isSafeEndpoint } from '../protocol/endpoint-url.ts';
import { canonicalResource } from '../protocol/resource-identifier.ts';
import { guardedServerUrls } from './guarded-server-urls.ts';
import type { AuthorizationHostOptions, DecidedByHost, HostedAccount, HostedLogin } from './host-options.ts';
import { notifying } from './notifying.ts';

/** Everything whose difference would make one worker, or one call, miss the records of another. */
const DECIDED_BY_HOST = {
  resource: true,
  account: true,
  store: true,
  vault: true,
  userAgent: true,
  clientMetadata: true,
  clock: true,
  random: true,
  limits: true,
  logger: true,
} as const satisfies Record<DecidedByHost, true>;

/** @throws FailureError `invalid_configuration` if `configure` names what only the host decides */
export function clientOptions(
  login: HostedLogin,
  shared: Omit<AuthorizationClientOptions, 'resource'>,
  { configure, onUserNeeded, redirectUri }: Pick<AuthorizationHostOptions, 'configure' | 'onUserNeeded' | 'redirectUri'>,
): AuthorizationClientOptions {
  const configured = configure?.(login) ?? {};
  const problems = Object.keys(configured)
    .filter((name) => Object.hasOwn(DECIDED_BY_HOST, name))
    .map((name) => `\`configure\` must not decide \`${name}\`: the host does, for all.`);
  if (problems.length > 0) throw invalid(problems);
  return {
    ...shared,
    ...configured,
    ...login,
    serverUrls: guardedServerUrls(configured.serverUrls ?? shared.serverUrls),
    ...(onUserNeeded !== undefined && { userAgent: notifying(login, redirectUri, onUserNeeded) }),
  };
}

/** @throws FailureError `invalid_configuration` for what is no resource, or no account: nobody is a user without a name (STO-04) */
export function hostedLogin({ resource, account }: HostedAccount): HostedLogin {
  const canonical = canonicalResource(resource);
  const problems = [
    ...(isSafeEndpoint(canonical) ? [] : ['`resource` must be an https URL, or http on a loopback address.']),
    ...(typeof account === 'string' && account !== '' ? [] : ['`account` must be a text that is not empty.']),
  ];
  if (problems.length > 0) throw invalid(problems);
  return { resource: canonical, account };
}

export function invalid(problems: readonly string[]): FailureError {
  return new FailureError('invalid_configuration', 'configuration', { problems, reason: problems.join(' ') });
}
