/** Which URL of the backend stands for which public one, in both directions. */
import { isInsideResource } from '../../protocol/resource-identifier.ts';

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
      target.search = [backend.search.slice(1), withoutAccessToken(search.slice(1))].filter((part) => part !== '').join('&');
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
      outside.search = url.search;
      outside.hash = url.hash;
      return outside.href;
    },
  };
}

/** A token in the query is in logs and histories, and nothing here looks at it (RFC 6750 section 5.3); the rest stays as it was written. */
function withoutAccessToken(query: string): string {
  return query
    .split('&')
    .filter((part) => !part.split(';').some(isAccessToken))
    .join('&');
}

const isAccessToken = (part: string): boolean =>
  [...new URLSearchParams(part).keys()].some((name) => name.trim().toLowerCase() === 'access_token');

const withoutSlash = (path: string): string => path.replace(/\/$/, '');
