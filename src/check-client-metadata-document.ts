/** Reads a hosted client ID metadata document as an authorization server would (REG-02). */
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import type { FetchLike } from './options.ts';
import { checkHostedDocument } from './protocol/client-metadata-document.ts';
import type { ClientMetadata } from './protocol/documents.ts';
import { createHttp } from './protocol/http.ts';
import { parseWithoutEval } from './protocol/no-eval.ts';

export interface CheckClientMetadataDocumentOptions {
  /** Where the document is hosted: the client identifier. */
  readonly url: string;
  /** What the client runs with. */
  readonly clientMetadata: ClientMetadata;
  /** Reads the document. Default: the platform's. */
  readonly fetch?: FetchLike;
  /** Times and sizes, as for a client. Default: those of a client. */
  readonly limits?: Partial<Limits>;
}

/**
 * Compares the document hosted at `url` with the metadata the client runs with.
 * For a release check, or a health check of the site that hosts it.
 *
 * @returns every problem as a sentence, network failures included; empty if it can be used.
 */
export function checkClientMetadataDocument(options: CheckClientMetadataDocumentOptions): Promise<string[]> {
  parseWithoutEval();
  const fetch: FetchLike = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  // The one URL is the caller's own, and its redirects stay on its origin: no server names any.
  const checkUrl = async (): Promise<void> => {};
  const http = createHttp({ fetch, limits: { ...DEFAULT_LIMITS, ...options.limits }, checkUrl });
  return checkHostedDocument(http, options.url, options.clientMetadata);
}
