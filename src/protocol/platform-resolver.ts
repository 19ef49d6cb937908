/** Names to addresses by the platform, where it lets programs ask: Node, Deno and Bun do, browsers and workers do not. */

/** @returns every address of the name; empty or rejecting: it has none */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/**
 * The system's own answer (hosts file, search list), as `fetch` gets it. Not by an
 * import, which would keep the core from running elsewhere.
 */
export function platformResolver(): Resolve | undefined {
  const { process, navigator } = globalThis as {
    readonly process?: { readonly getBuiltinModule?: typeof globalThis.process.getBuiltinModule };
    readonly navigator?: { readonly userAgent?: string };
  };
  // It has the module, but not the function.
  if (navigator?.userAgent === 'Cloudflare-Workers') return undefined;
  const dns = process?.getBuiltinModule?.('node:dns/promises');
  if (typeof dns?.lookup !== 'function') return undefined;
  return async (hostname) => (await dns.lookup(hostname, { all: true })).map(({ address }) => address);
}
