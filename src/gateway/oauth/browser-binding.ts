/**
 * Binds a transaction to one browser (GWY-06; MCP Security Best Practices, "Confused
 * Deputy Problem"): a cookie that no other host and no subdomain can set, one for each
 * transaction, so that two in one browser do not disturb each other. Only its digest is
 * in the transaction.
 *
 * An issuer that is http is on a loopback address, for development. Safari takes no
 * `Secure` cookie there, so that the cookie does without, and without the `__Host-` that
 * needs it. Browsers share cookies among all ports of a host: another server on the same
 * machine could see and set it, where the browser goes to its `/oauth/` as well. What the
 * name of the cookie says is unguessable, and two of one name are refused.
 */
import { constantTimeEqual } from '../../protocol/constant-time-equal.ts';
import { digestOf } from './random-text.ts';

interface Form {
  readonly prefix: string;
  /** SameSite Lax: the browser comes back from upstream by a navigation of another site. */
  readonly attributes: string;
}

function formFor(issuer: string): Form {
  const { protocol, pathname } = new URL(issuer);
  if (protocol === 'https:') return { prefix: '__Host-authchart-', attributes: 'Path=/; Secure; HttpOnly; SameSite=Lax' };
  return { prefix: 'authchart-', attributes: `Path=${pathname.replace(/\/$/, '')}/oauth/; HttpOnly; SameSite=Lax` };
}

export function bindingCookie(issuer: string, transactionId: string, secret: string, maxAgeSeconds: number): string {
  const { prefix, attributes } = formFor(issuer);
  return `${prefix}${transactionId}=${secret}; ${attributes}; Max-Age=${Math.max(1, Math.ceil(maxAgeSeconds))}`;
}

export function noBindingCookie(issuer: string, transactionId: string): string {
  const { prefix, attributes } = formFor(issuer);
  return `${prefix}${transactionId}=; ${attributes}; Max-Age=0`;
}

/** Is this the browser the transaction belongs to? Two cookies of the name: no. */
export async function isBoundBrowser(
  request: Request,
  issuer: string,
  { id, browserDigest }: { readonly id: string; readonly browserDigest?: string | undefined },
): Promise<boolean> {
  const start = `${formFor(issuer).prefix}${id}=`;
  const sent = (request.headers.get('cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(start));
  const [only] = sent;
  if (browserDigest === undefined || only === undefined || sent.length > 1) return false;
  return constantTimeEqual(await digestOf(only.slice(start.length)), browserDigest);
}
