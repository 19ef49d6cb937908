/** Names that servers behind the gateway confuse count as the same here: what is the gateway's to say is nobody's to say in another spelling. */

/** CGI, WSGI and PHP take `X_Forwarded_For` and `X.Forwarded.For` for `X-Forwarded-For`, and `tenant.id` for `tenant_id`. */
export const asBackendsReadIt = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');

/**
 * What a query parameter may be taken for. `tenant_id[]` and `[tenant_id]` are lists and objects of that name where
 * queries hold such; PHP takes `tenant[id` for `tenant_id`, and lets a name end at a NUL.
 */
export function parameterNames(name: string): readonly string[] {
  const whole = name.trim();
  const [outermost = ''] = whole.replace(/^\[+/, '').split(/[[\]\0]/, 1);
  return [whole, outermost].map(asBackendsReadIt);
}
