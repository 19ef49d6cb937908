/**
 * Binds a transaction to one browser (GWY-06; MCP Security Best Practices, "Confused
 * Deputy Problem"): a cookie that no other host and no subdomain can set, one for each
 * transaction, so that two in one browser do not disturb each other. Only its digest is
 * in the transaction.
 */
import { constantTimeEqual } from '../../protocol/constant-time-equal.ts';
import { digestOf } from './random-text.ts';

/** SameSite Lax: the browser comes back from upstream by a navigation of another site. */
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';

const nameOf = (transactionId: string): string => `__Host-authchart-${transactionId}`;

export function bindingCookie(transactionId: string, secret: string, maxAgeSeconds: number): string {
  return `${nameOf(transactionId)}=${secret}; ${ATTRIBUTES}; Max-Age=${Math.max(1, Math.ceil(maxAgeSeconds))}`;
}

export function noBindingCookie(transactionId: string): string {
  return `${nameOf(transactionId)}=; ${ATTRIBUTES}; Max-Age=0`;
}

/** Is this the browser the transaction belongs to? Two cookies of the name: no. */
export async function isBoundBrowser(request: Request, transactionId: string, digest: string | undefined): Promise<boolean> {
  const prefix = `${nameOf(transactionId)}=`;
  const sent = (request.headers.get('cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(prefix));
  const [only] = sent;
  if (digest === undefined || only === undefined || sent.length > 1) return false;
  return constantTimeEqual(await digestOf(only.slice(prefix.length)), digest);
}
