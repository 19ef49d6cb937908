/**
 * Where a server may send the flow (SEC-03; MCP Security Best Practices, "Server-Side
 * Request Forgery"): nowhere closer to this machine than the resource itself is.
 * Whoever runs a server on the internet could otherwise have requests sent to
 * services that trust what comes from inside.
 *
 * What the embedder has named is not asked about: the origin of the resource, and those
 * of authorization servers in the configuration.
 */
import { FailureError, type Phase } from '../failure.ts';
import type { Limits } from '../limits.ts';
import type { AuthorizationClientOptions, ServerUrlExceptions, UrlPurpose } from '../options.ts';
import { addressReach, hostReach, isAddress, type Reach } from './address-reach.ts';
import { withinDeadline } from './deadline.ts';
import { webUrl, withoutQuery } from './endpoint-url.ts';
import { networkReason } from './network-reason.ts';
import { platformResolver, type Resolve } from './platform-resolver.ts';

/** What a URL is wanted for, and which part of the flow a failure belongs to. */
export interface UrlUse {
  readonly phase: Phase;
  readonly purpose: UrlPurpose;
}

/**
 * @throws FailureError `url_refused_by_policy`; under the strict rule also
 *   `network_unreachable` for a name without an address, `network_timeout`
 */
export type UrlCheck = (url: string, use: UrlUse) => Promise<void>;

type Named = Pick<AuthorizationClientOptions, 'preregistered' | 'issuers' | 'serverMetadata'>;

export interface UrlCheckOptions extends Named, Pick<AuthorizationClientOptions, 'serverUrls' | 'allowUrl'> {
  /** The resource identifier: the place that all others are compared with. */
  readonly resource: string;
  readonly limits: Pick<Limits, 'requestTimeoutMs'>;
}

export function createUrlCheck({ resource, serverUrls, allowUrl, limits, ...configured }: UrlCheckOptions): UrlCheck {
  const { rule = 'standard', except, resolve } = typeof serverUrls === 'object' ? serverUrls : { rule: serverUrls };
  const { origin: ownOrigin, hostname: ownHost } = new URL(resource);
  const ownReach = hostReach(ownHost);

  async function objection(url: URL, use: UrlUse): Promise<string | undefined> {
    if (url.origin === ownOrigin || originsIn(configured).includes(url.origin)) return undefined;
    const reach = hostReach(url.hostname);
    if (!mayPoint(ownReach, reach)) {
      if (rule === 'standard' && reach === 'private' && (await isResourcePrivate())) return undefined;
      return `${url.hostname} is ${place(reach)}`;
    }
    // The user's browser goes to the authorization page: what it finds under a name is not known here.
    if (rule !== 'strict' || use.purpose === 'authorization' || isAddress(url.hostname)) return undefined;
    const found = (await addressesOf(url, use)).map(addressReach).find((each) => !mayPoint(ownReach, each));
    // Which address it is, a stranger who named it need not learn from an error that is passed on.
    return found && `${url.hostname} leads to ${place(found)}`;
  }

  const place = (reach: Reach): string =>
    mayPoint(reach, reach) ? `${PLACES[reach]}, and the resource ${ownHost} is not there.` : `${PLACES[reach]}.`;

  /** Inside a company, names that look public lead to private addresses. Every one has to: an owner of the name may mix them. */
  async function isResourcePrivate(): Promise<boolean> {
    const lookUp = resolverOf(resolve);
    if (lookUp === undefined || isAddress(ownHost)) return false;
    const addresses = await ask(lookUp, ownHost).catch(() => []);
    return addresses.length > 0 && addresses.every((address) => mayPoint(addressReach(address), 'private'));
  }

  async function addressesOf(url: URL, use: UrlUse): Promise<readonly string[]> {
    const lookUp = resolverOf(resolve);
    // Where the platform does not tell addresses, a page or a worker, it does not let requests into private networks either.
    if (lookUp === undefined) return [];
    const unreachable = (error?: unknown): never => {
      throw refusal('network_unreachable', url.href, use, networkReason(error) ?? 'Its name could not be resolved.');
    };
    const addresses = await ask(lookUp, url.hostname).catch(unreachable);
    return addresses.length > 0 ? addresses : unreachable();
  }

  async function judge(url: URL, use: UrlUse): Promise<void> {
    const reason = await objection(url, use);
    if (reason !== undefined && !(await isExcepted(url, use, except))) throw refusal('url_refused_by_policy', url.href, use, reason);
    if (allowUrl !== undefined && !(await saysYes(() => allowUrl(new URL(url), use.purpose)))) {
      throw refusal('url_refused_by_policy', url.href, use, 'The policy `allowUrl` refuses it.');
    }
  }

  return (url, use) => {
    const { requestTimeoutMs } = limits;
    return withinDeadline(
      () => judge(new URL(url), use),
      requestTimeoutMs,
      undefined,
      () => refusal('network_timeout', url, use, `Whether it may be used was not known after ${requestTimeoutMs} ms.`),
    );
  };
}

/** Of the authorization servers that the embedder names, and of the endpoints it gives for them. */
function originsIn({ preregistered = [], issuers = {}, serverMetadata = {} }: Named): readonly string[] {
  const endpoints = Object.values(serverMetadata).flatMap((metadata) => Object.values(metadata));
  const urls = [...preregistered.map(({ issuer }) => issuer), ...Object.keys(issuers), ...Object.keys(serverMetadata), ...endpoints];
  return urls.flatMap((url) => webUrl(url)?.origin ?? []);
}

/** Whether a server at one place may send the flow to another: never closer, to the same link only from there. */
function mayPoint(from: Reach, to: Reach): boolean {
  switch (to) {
    case 'public':
      return true;
    case 'private':
      return from === 'private' || from === 'link-local' || from === 'loopback';
    case 'link-local':
    case 'loopback':
      return from === to;
    case 'metadata':
    case 'special':
      return false;
  }
}

const PLACES: Readonly<Record<Reach, string>> = {
  public: 'a public address',
  private: 'a place in a private network',
  'link-local': 'a link-local address',
  loopback: 'a loopback address',
  metadata: 'the metadata service of a cloud',
  special: 'no address that a server can have',
};

function resolverOf(resolve: ServerUrlExceptions['resolve']): Resolve | undefined {
  return resolve === false ? undefined : (resolve ?? platformResolver());
}

/** One that throws at once has failed like one that rejects. */
const ask = async (lookUp: Resolve, hostname: string): Promise<readonly string[]> => lookUp(hostname);

async function isExcepted(url: URL, use: UrlUse, except: ServerUrlExceptions['except']): Promise<boolean> {
  return except !== undefined && (await saysYes(() => except(new URL(url), use.purpose)));
}

/** Throwing is how some policies refuse; their text may hold anything, so it stays behind. */
async function saysYes(question: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    return (await question()) === true;
  } catch {
    return false;
  }
}

function refusal(
  code: 'url_refused_by_policy' | 'network_unreachable' | 'network_timeout',
  url: string,
  { phase }: UrlUse,
  reason: string,
): FailureError {
  return new FailureError(code, phase, { url: withoutQuery(url), reason });
}
