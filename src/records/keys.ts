/** How records are named in a store. */
import { FailureError } from '../failure.ts';

/**
 * The key of a record: its kind and what it belongs to, each part percent-encoded,
 * so that no issuer, account or resource can name another's record (ISS-01, STO-04).
 * Throws `invalid_configuration` for text that has no encoding (half a surrogate pair).
 */
export function recordKey(kind: string, ...parts: readonly string[]): string {
  try {
    return [kind, ...parts.map(encodeURIComponent)].join('/');
  } catch {
    throw new FailureError('invalid_configuration', 'storage', {
      reason: 'An account, issuer or resource is not well-formed Unicode text.',
    });
  }
}

/** Names the flow of one account at one resource. */
export function flowKeyOf(account: string, resource: string): string {
  return recordKey('flow', account, resource);
}

/** Whose flow the key names; `undefined` for a key that {@link flowKeyOf} did not make. */
export function flowOwner(flowKey: string): { readonly account: string; readonly resource: string } | undefined {
  const [kind, account, resource, ...more] = flowKey.split('/');
  if (kind !== 'flow' || !account || !resource || more.length > 0) return undefined;
  try {
    return { account: decodeURIComponent(account), resource: decodeURIComponent(resource) };
  } catch {
    return undefined;
  }
}

/** What vault entries of one owner have in common: their kind and what they belong to. */
export type VaultPlace = readonly [kind: string, ...parts: readonly string[]];

/** The key of a new vault entry: never used before, so that writing it cannot harm what a record points to. */
export function freshVaultKey(...place: VaultPlace): string {
  return recordKey('vault', ...place, crypto.randomUUID());
}

/** Was this key made by {@link freshVaultKey} for the same owner? */
export function isInVaultPlace(key: string, place: VaultPlace): boolean {
  const start = `${recordKey('vault', ...place)}/`;
  return key.startsWith(start) && !key.slice(start.length).includes('/');
}

/** Web Crypto answers from a thread of its own: as slow as a store. The few texts of a flow are asked for again and again. */
const DIGESTS_REMEMBERED = 64;
const digests = new Map<string, string>();

/** SHA-256 in base64url: a key part for what is too long or too private to stand in a key. */
export async function digest(text: string): Promise<string> {
  const known = digests.get(text);
  if (known !== undefined) return known;
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  const made = btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
  if (digests.size >= DIGESTS_REMEMBERED) digests.clear();
  digests.set(text, made);
  return made;
}
