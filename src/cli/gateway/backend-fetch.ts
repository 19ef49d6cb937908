/**
 * `fetch` for the backend, without the bounds that Node's own sets: it breaks a body
 * off after five minutes without a byte, and an MCP server that has nothing to say
 * may be silent on its stream for hours. Its headers are bounded by the proxy.
 */
import { Agent, fetch } from 'undici';
import type { FetchLike } from '../../options.ts';

export function backendFetch(): { readonly fetch: FetchLike; close(): Promise<void> } {
  const dispatcher = new Agent({ bodyTimeout: 0, headersTimeout: 0 });
  return {
    // The same standard in two sets of types: the package's own, and the platform's.
    fetch: (input, init) => fetch(input as string | URL, { ...(init as object), dispatcher }) as unknown as Promise<Response>,
    close: () => dispatcher.destroy(),
  };
}
