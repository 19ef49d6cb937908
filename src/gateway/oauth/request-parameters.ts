/** What a request brings along: bounded in size, and each parameter once (RFC 6749 section 3.1 and 3.2). */
import { withBodyInMemory } from '../../protocol/bounded-body.ts';
import { OAuthAnswer } from './oauth-answers.ts';

export interface Parameters {
  /** Empty values count as left out (RFC 6749 section 3.1). */
  get(name: string): string | undefined;
  /** Names that came more than once. */
  readonly repeated: ReadonlySet<string>;
}

export function parametersOf(search: URLSearchParams): Parameters {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const name of search.keys()) (seen.has(name) ? repeated : seen).add(name);
  return { get: (name) => search.get(name) || undefined, repeated };
}

/** @throws OAuthAnswer 413, 415, `invalid_request` for a parameter that came twice. */
export async function formOf(request: Request, limitBytes: number): Promise<Parameters> {
  const parameters = parametersOf(new URLSearchParams(await bodyOf(request, 'application/x-www-form-urlencoded', limitBytes)));
  const [twice] = parameters.repeated;
  // Its name is the sender's text: it is not repeated.
  if (twice !== undefined) throw new OAuthAnswer('invalid_request', 'A parameter is there more than once.');
  return parameters;
}

/** @throws OAuthAnswer 413, 415 */
export async function bodyOf(request: Request, mediaType: string, limitBytes: number): Promise<string> {
  const [given = ''] = (request.headers.get('content-type') ?? '').split(';');
  if (given.trim().toLowerCase() !== mediaType) {
    discard(request);
    throw new OAuthAnswer('invalid_request', `The body has to be ${mediaType}.`, { status: 415 });
  }
  // Not a byte is read of what says itself that it is too much.
  const declared = Number(request.headers.get('content-length') ?? 0);
  const whole = declared > limitBytes ? undefined : await withBodyInMemory(new Response(request.body), limitBytes, request.signal);
  if (whole === undefined) {
    discard(request);
    throw new OAuthAnswer('invalid_request', `The body is larger than ${limitBytes} bytes.`, { status: 413 });
  }
  return whole.text();
}

function discard(request: Request): void {
  if (!request.bodyUsed) request.body?.cancel().catch(() => {});
}
