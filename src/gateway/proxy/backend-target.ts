/** Which URL of the backend stands for which public one, in both directions. */
import { isInsideResource } from '../../protocol/resource-identifier.ts';
import { asBackendsReadIt, parameterNames } from './confused-names.ts';

export interface BackendTarget {
  /** The backend's URL for a request; `undefined` for one that is not at the resource, or leads out of it. */
  urlFor(request: Request): URL | undefined;
  /**
   * What a `Location` of the backend means outside, where it was read; `undefined` if it must not get there: the
   * backend's own address outside what the resource stands for, or an address that is not of the public kind.
   */
  publicLocation(location: string, asked: URL): string | undefined;
}

/** @param resource canonical */
export function backendTarget(resource: string, backend: URL): BackendTarget {
  const publicUrl = new URL(resource);
  const publicBase = withoutSlash(publicUrl.pathname);
  const backendBase = withoutSlash(backend.pathname);
  const ownNames: ReadonlySet<string> = new Set(backend.search.slice(1).split('&').flatMap(parameterNames));
  return {
    urlFor(request) {
      const { pathname, search } = new URL(request.url);
      const asked = new URL(resource);
      asked.pathname = pathname;
      if (!isInsideResource(resource, asked, 'path')) return undefined;
      const below = pathname.slice(publicBase.length);
      const target = new URL(backend);
      // The resource itself is the backend's URL to the letter, with or without a slash at its end.
      if (below !== '' && pathname !== publicUrl.pathname) target.pathname = backendBase + below;
      target.search = [backend.search.slice(1), callersQuery(search.slice(1), ownNames)].filter((part) => part !== '').join('&');
      return isInsideResource(backend.href, target, 'path') ? target : undefined;
    },
    publicLocation(location, asked) {
      const url = URL.parse(location, asked);
      if (url === null || url.username !== '' || url.password !== '') return undefined;
      if (url.origin === publicUrl.origin) return url.href;
      if (url.hostname !== backend.hostname) return url.protocol === 'https:' ? url.href : undefined;
      if (!isInsideResource(backend.href, url, 'path')) return undefined;
      const outside = new URL(publicUrl);
      outside.pathname = publicBase + url.pathname.slice(backendBase.length);
      // What only the gateway was to know goes no further, where a server redirects with the query it was asked with.
      outside.search = callersQuery(url.search.slice(1), ownNames);
      outside.hash = url.hash;
      return outside.href;
    },
  };
}

/**
 * A token in the query is in logs and histories, and nothing here looks at it (RFC 6750 section 5.3). What the
 * configured URL says itself (a tenant, a key) is not the caller's to say again: of two, many servers take the last. The
 * rest stays as it was written.
 */
function callersQuery(query: string, ownNames: ReadonlySet<string>): string {
  const isRefused = (part: string): boolean => parameterNames(part).some((name) => name === ACCESS_TOKEN || ownNames.has(name));
  return query
    .split('&')
    .filter((part) => !isRefused(part))
    .join('&');
}

const ACCESS_TOKEN = asBackendsReadIt('access_token');

const withoutSlash = (path: string): string => path.replace(/\/$/, '');
