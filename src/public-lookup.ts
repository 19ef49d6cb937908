/** Connections to public addresses only, checked where they are made: nothing can change between the check and the connection. */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { addressReach } from './protocol/address-reach.ts';
import { ADDRESS_NOT_PUBLIC } from './protocol/network-reason.ts';

export interface PublicLookupOptions {
  /** Names that may lead anywhere, such as those of one's own network. Default: none. */
  readonly except?: (hostname: string) => boolean;
  /** Looks names up as `node:dns` does. Default: its `lookup`. */
  readonly lookup?: typeof systemLookup;
}

/**
 * A `lookup` for what makes connections on Node: undici's `Agent` (`connect: { lookup }`), `http.Agent`, `https.Agent`.
 * It fails where any address of a name is not a public one, so that a name cannot change its address after `serverUrls`
 * has looked (DNS rebinding). Addresses written into URLs never come here: `serverUrls` judges those, and of the
 * resource's own URL it has to be judged whether it may be one.
 *
 * A request that it prevents in a flow fails with `url_refused_by_policy`.
 */
export function publicLookup({ except, lookup = systemLookup }: PublicLookupOptions = {}): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (failed, addresses) => {
      if (failed !== null) return callback(failed, '');
      const [first] = addresses;
      if (first === undefined || !(except?.(hostname) === true || addresses.every(isPublic))) return callback(notPublic(hostname), '');
      return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };
}

const isPublic = ({ address }: LookupAddress): boolean => addressReach(address) === 'public';

function notPublic(hostname: string): Error {
  return Object.assign(new Error(`${hostname} leads to an address that is not public.`), { code: ADDRESS_NOT_PUBLIC });
}
