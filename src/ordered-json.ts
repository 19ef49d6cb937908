/**
 * JSON text that is the same for the same value, for digests: stores may give the
 * members of an object back in another order, and none that are undefined.
 */
export function orderedJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
