/** How validators reach the authorization servers they were configured with: bounded in size and time, like the flow's own requests. */
import type { Clock } from '../clock.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { FetchLike, LogRecord } from '../options.ts';
import { createHttp, type Http } from '../protocol/http.ts';
import { parseWithoutEval } from '../protocol/no-eval.ts';
import { createUrlCheck } from '../protocol/server-urls.ts';

export interface GatewayHttpOptions {
  readonly fetch: FetchLike | undefined;
  readonly clock: Clock;
  readonly logger: ((record: LogRecord) => void) | undefined;
  /** The URLs of the configuration. What else a server names may not be closer to this machine than the first of them (SEC-03). */
  readonly configured: readonly [string, ...string[]];
}

/** Callers wait: shorter than the client's limit, whose user is at a page. */
const TIMEOUT_MS = 5_000;

export function gatewayHttp({ fetch, clock, logger, configured }: GatewayHttpOptions): Http {
  parseWithoutEval();
  const limits = { ...DEFAULT_LIMITS, requestTimeoutMs: TIMEOUT_MS };
  return createHttp({
    fetch: fetch ?? ((input, init) => globalThis.fetch(input, init)),
    limits,
    checkUrl: createUrlCheck({ resource: configured[0], limits, issuers: Object.fromEntries(configured.map((url) => [url, {}])) }),
    now: () => clock.now(),
    ...(logger !== undefined && { logger }),
  });
}
