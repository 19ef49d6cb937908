/** One endpoint that takes POSTs, on a real local server, with the Http to reach it by. */
import type { Http } from '../../src/protocol/http.ts';
import { httpWith } from './http-with.ts';
import { localServer } from './local-server.ts';

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is a text. */
  readonly body?: unknown;
}

export interface SeenPost {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** The body read as a form. */
  readonly form: URLSearchParams;
}

export interface PostEndpoint {
  readonly url: string;
  readonly issuer: string;
  readonly http: Http;
  readonly posts: readonly SeenPost[];
}

/** Answers every POST alike, or by what it holds. */
export async function postEndpoint(answer: Answer | ((seen: SeenPost) => Answer), path = '/token'): Promise<PostEndpoint> {
  const posts: SeenPost[] = [];
  const server = await localServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const seen = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body,
        form: new URLSearchParams(body),
      };
      posts.push(seen);
      const { status = 200, headers = {}, body: answered } = typeof answer === 'function' ? answer(seen) : answer;
      const text = typeof answered === 'string' ? answered : JSON.stringify(answered);
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(text);
    });
  });
  return {
    url: `${server.origin}${path}`,
    issuer: server.origin,
    http: httpWith({ fetch: (input, init) => fetch(input, init) }),
    posts,
  };
}
