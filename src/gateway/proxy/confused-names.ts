/** Names that servers behind the gateway confuse count as the same here: what is the gateway's to say is nobody's to say in another spelling. */

import { lenientReadings } from '../../protocol/lenient-decoding.ts';

/** CGI, WSGI and PHP take `X_Forwarded_For` and `X.Forwarded.For` for `X-Forwarded-For`, and `tenant.id` for `tenant_id`. */
export const asBackendsReadIt = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');

/**
 * What the query parameters in a part of a query may be taken for, as it is written. `tenant_id[]` and `[tenant_id]` are
 * lists and objects of that name where queries hold such; PHP takes `tenant[id` for `tenant_id`, and lets a name end at a
 * NUL. IIS decodes `%u0074`, and what is decoded here and at the server was written twice.
 */
export function parameterNames(part: string): readonly string[] {
  return part.split(';').flatMap((one) => {
    const [written = ''] = one.split('=', 1);
    const names = [...new URLSearchParams(one).keys(), ...lenientReadings(written.replaceAll('+', ' '))];
    return names
      .filter((name) => name !== '')
      .flatMap((name) => {
        const whole = name.trim();
        const [outermost = ''] = whole.replace(/^\[+/, '').split(/[[\]\0=]/, 1);
        return [whole, outermost].map(asBackendsReadIt);
      });
  });
}
