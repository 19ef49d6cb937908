/** Where servers may send the flows of a host: it stands among the services of its operator, and strangers reach it (SEC-03). */
import type { AuthorizationClientOptions, ServerUrlExceptions } from '../options.ts';

/** The strict rule unless the options name another; exceptions alone do not loosen it. */
export function guardedServerUrls(given: AuthorizationClientOptions['serverUrls']): ServerUrlExceptions {
  if (typeof given !== 'object' || given === null) return { rule: given ?? 'strict' };
  return { ...given, rule: given.rule ?? 'strict' };
}
