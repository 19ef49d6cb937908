/** Everything that is wrong with the options of a host, each as a sentence that says what to change. Pure. */
import { problemsOfOptions } from '../configuration-problems.ts';
import { type Given, notFunctions, when } from '../misconfigured.ts';
import type { AuthorizationClientOptions } from '../options.ts';
import { isSafeEndpoint } from '../protocol/endpoint-url.ts';
import type { AuthorizationHostOptions } from './host-options.ts';

/** Stands for the resources that are named later, where the options of every client are checked beforehand. */
const SOME_RESOURCE = 'https://resource.invalid/';

const OWN_OPTIONS = {
  identify: true,
  redirectUri: true,
  configure: true,
  onUserNeeded: true,
  afterLogin: true,
  idleMs: true,
  maxClients: true,
} as const satisfies Partial<Record<keyof AuthorizationHostOptions, true>>;

/** The options that every client of the host has. */
export function sharedOptions(options: AuthorizationHostOptions): Omit<AuthorizationClientOptions, 'resource'> {
  const shared = Object.entries(options).filter(([name]) => !Object.hasOwn(OWN_OPTIONS, name));
  return {
    ...Object.fromEntries(shared),
    clientMetadata: { ...options.clientMetadata, redirect_uris: [options.redirectUri] },
  };
}

/** Empty if the host can be created. */
export function problemsOfHostOptions(options: AuthorizationHostOptions): readonly string[] {
  if (typeof options !== 'object' || options === null) return ['The options are missing.'];
  const given: Given = { ...options };
  const perClient = ['resource', 'account', 'userAgent'].filter((name) => given[name] !== undefined);
  const shared = Object.fromEntries(Object.entries(sharedOptions(options)).filter(([name]) => !perClient.includes(name)));
  return [
    ...perClient.map(
      (name) => `\`${name}\` is no option of a host${name === 'userAgent' ? '' : ': name it in `client({ resource, account })`'}.`,
    ),
    ...when(
      typeof options.identify !== 'function',
      '`identify` is missing: it says which account the browser of a callback is signed in to. Without it, whoever makes a user open a link could bind the access of that user to an account of their own.',
    ),
    ...when(options.store === undefined, '`store` is missing: a host keeps every flow there, for all of its workers.'),
    ...problemsOfRedirect(options),
    ...notFunctions(given, ['configure', 'onUserNeeded']),
    ...numbers(given, ['idleMs', 'maxClients']),
    ...problemsOfOptions({
      ...shared,
      resource: SOME_RESOURCE,
      ...(!isUsable(options.redirectUri) && { clientMetadata: { redirect_uris: [SOME_RESOURCE] } }),
    }),
  ];
}

function problemsOfRedirect({ redirectUri, clientMetadata, afterLogin }: AuthorizationHostOptions): readonly string[] {
  const named = (clientMetadata as { readonly redirect_uris?: unknown } | undefined)?.redirect_uris;
  const isTarget = typeof afterLogin === 'string' && isUsable(redirectUri) && isSafeEndpoint(URL.parse(afterLogin, redirectUri)?.href);
  return [
    ...when(
      !isUsable(redirectUri),
      '`redirectUri` must be the https URL (or http on a loopback address), without a fragment, at which `handleCallback` is reached.',
    ),
    ...when(named !== undefined, '`clientMetadata.redirect_uris` is `redirectUri` on a host: leave it out.'),
    ...when(
      afterLogin !== undefined && typeof afterLogin !== 'function' && isUsable(redirectUri) && !isTarget,
      '`afterLogin` must be an https URL (or http on a loopback address), a path, or a function.',
    ),
  ];
}

const isUsable = (redirectUri: unknown): boolean => isSafeEndpoint(redirectUri) && !redirectUri.includes('#');

function numbers(given: Given, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const value = given[name];
    const isPositive = typeof value === 'number' && Number.isFinite(value) && value > 0;
    return when(value !== undefined && !isPositive, `\`${name}\` must be a number above zero.`);
  });
}
