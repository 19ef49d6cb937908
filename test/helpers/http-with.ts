/** The HTTP function of the flow with what a test wants to set, and two requests to send with it. */
import { DEFAULT_LIMITS, type Limits } from '../../src/limits.ts';
import { createHttp, type Http, type HttpOptions, type HttpRequest } from '../../src/protocol/http.ts';
import type { UrlCheck } from '../../src/protocol/server-urls.ts';

export function httpWith(options: Partial<Omit<HttpOptions, 'limits'>> & { readonly limits?: Partial<Limits> } = {}): Http {
  return createHttp({ fetch: globalThis.fetch, checkUrl: anyUrl, ...options, limits: { ...DEFAULT_LIMITS, ...options.limits } });
}

/** No policy: what a test sends where it likes. */
export const anyUrl: UrlCheck = async () => {};

export const metadataRequest: HttpRequest = { phase: 'server-metadata', purpose: 'server-metadata' };

export const tokenRequest: HttpRequest = {
  method: 'POST',
  phase: 'token',
  purpose: 'token',
  body: new URLSearchParams({ code: 'secret-code' }),
};
