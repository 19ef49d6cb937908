/** The HTTP function of the flow with what a test wants to set, and two requests to send with it. */
import { DEFAULT_LIMITS, type Limits } from '../../src/limits.ts';
import { createHttp, type Http, type HttpOptions, type HttpRequest } from '../../src/protocol/http.ts';

export function httpWith(options: Partial<Omit<HttpOptions, 'limits'>> & { readonly limits?: Partial<Limits> } = {}): Http {
  return createHttp({ fetch: globalThis.fetch, ...options, limits: { ...DEFAULT_LIMITS, ...options.limits } });
}

export const metadataRequest: HttpRequest = { phase: 'server-metadata', purpose: 'server-metadata' };

export const tokenRequest: HttpRequest = {
  method: 'POST',
  phase: 'token',
  purpose: 'token',
  body: new URLSearchParams({ code: 'secret-code' }),
};
