/** Which audiences mean this resource (RFC 8707 section 2). */

/**
 * @param configured the option, which rules
 * @param resource the canonical resource identifier: where it has no path, the same URL with
 *   the slash that URL libraries add is the same resource (RFC 3986 section 6.2.3)
 */
export function acceptedAudiences(configured: string | readonly string[] | undefined, resource: string): readonly string[] {
  if (configured !== undefined) return typeof configured === 'string' ? [configured] : configured;
  return URL.parse(resource)?.pathname === '/' && !resource.endsWith('/') ? [resource, `${resource}/`] : [resource];
}
